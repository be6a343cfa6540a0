"""Against what the C library's crypt answers; the first of each are the specification's own."""

import pytest

from idp.credentials.sha_crypt import sha256_crypt, sha512_crypt


@pytest.mark.parametrize(
    ("password", "salt", "rounds", "digest"),
    [
        ("Hello world!", "saltstring", 5000, "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
        ("", "saltstring", 5000, "FdNfA4gXqvCeO6iZs7G/.wwwoywYZqo0l1pwmfWaBA7"),
        ("", "anotherlongsalts", 1400, "7IcTVudmZDHdXM3GIn4KAxA5tvn.eciiARdqRBeqNs/"),
        ("zażółć gęślą jaźń", "saltstring", 5000, "pKH/2St/SFvSxyNafDfsL7euyNGm2VdBYguB8s7wKa0"),
        ("a" * 100, "saltstring", 5000, "HE80cZIBUxLL.bS7Ud8vy2RfFEVIyvfBaoUr.RekKl3"),
        ("a" * 100, "anotherlongsalts", 1400, "rxuJkKiQTrzKO8eZ6/.WybjIrgYF3/u7RcK5jYG70QC"),
    ],
)
def test_sha256_crypt_answers_as_unix_does(password, salt, rounds, digest):
    assert sha256_crypt(password.encode(), salt.encode(), rounds) == digest


@pytest.mark.parametrize(
    ("password", "salt", "rounds", "digest"),
    [
        (
            "Hello world!",
            "saltstring",
            5000,
            "svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
        ),
        (
            "",
            "anotherlongsalts",
            1400,
            "CvyNSQwf6bQerEu9N9SQOWtPnrIu1XZzaKZQpGKfoQ/SaumCMqHGCEvfGxtQ5xG2Au23d5sGapl8LQH64hLtn/",
        ),
        (
            "zażółć gęślą jaźń",
            "anotherlongsalts",
            1400,
            "MLoro0fgXX37GVMc2REG/V1cepCLkpE63cxg9yaJEEfJhkJyRhDiVC2DkIbUd4Nr/7m5MGqEGWrpQV4PHtceh.",
        ),
        (
            "a" * 100,
            "saltstring",
            5000,
            "JScHikn0ipeafNsMFqiv6ssVGy/bli03a6zot98EeDT9Eis0IVo.NzTwTN4F896wEgL50y3nqQ9Os/B3lkI2.0",
        ),
    ],
)
def test_sha512_crypt_answers_as_unix_does(password, salt, rounds, digest):
    assert sha512_crypt(password.encode(), salt.encode(), rounds) == digest
