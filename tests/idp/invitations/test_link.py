import pytest

from idp.invitations.link import Link, NotALink


def test_a_link_reads_back_as_it_was_written():
    link = Link("0123456789ab", "the-token_1")

    assert Link.read(str(link)) == link


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "0123456789ab", "0123456789ab.", "0123456789AB.x", "0123456789ab.x y", "x.y"),
        *("0123456789ab." + "x" * 101, "0123456789ab.ż", "0123456789ab.x\n"),
    ],
)
def test_what_we_did_not_make_is_no_link(text):
    with pytest.raises(NotALink):
        Link.read(text)
