import csv
import io

import pytest

from kernel.spreadsheets import csv_lines, harmless


@pytest.mark.security("15.6")
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\0"])
@pytest.mark.parametrize("before", ["", " ", "\u00a0", "\u200b", "\ufeff", "\n", " \u2060 "])
def test_no_cell_is_computed_whatever_stands_before_the_sign(before, start):
    assert harmless(f"{before}{start}1+1") == f"'{before}{start}1+1"


@pytest.mark.security("15.6")
@pytest.mark.parametrize("text", ["", "Dom", "a=b", "7", "'=1", " Dom - ogród"])
def test_other_cells_are_left_as_they_are(text):
    assert harmless(text) == text


def test_lines_can_be_read_again():
    lines = csv_lines(["a", "b"], [["Dom, ogród", 'z "cudzysłowem"'], [None, "dwa\nwiersze"]])

    read = list(csv.reader(io.StringIO("".join(lines), newline="")))

    assert read == [["a", "b"], ["Dom, ogród", 'z "cudzysłowem"'], ["", "dwa\nwiersze"]]
