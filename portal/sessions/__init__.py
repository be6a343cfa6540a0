"""The portal's own tables for signed-in people and their tokens; what they mean is in `relying_party`."""
