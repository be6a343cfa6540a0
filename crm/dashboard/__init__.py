"""«Pulpit»: the first page of the CRM, with what is known of the person and of the day."""
