"""From the API's answers to what a page shows: pure functions of plain data."""
