"""What lies in the folder of a file on its way to be a base."""

from __future__ import annotations

#: As it came; a spreadsheet's sheet as text; accepted rows for COPY; line and reason of the others; those to be mended.
FILE, SHEET, ROWS, REJECTED, MENDED = "file", "sheet.csv", "rows.copy", "rejected.tsv", "rejected.csv"
#: What the worker is asked, and what it answers.
ASK, ANSWER = "ask.json", "answer.json"
#: So many rejected rows are told with their text; all are in the file to be mended.
SHOWN_MAX = 1000
