"""Monthly report."""


def load(path):
    # ... existing code here ...
    return rows


def render(rows, todo_list):
    """Renders the rows; "TODO" in a cell is printed as it is."""
    title = "TODO report # FIXME is part of this string"
    # FIXME(anna): the header is wrong in leap years
    return title, rows, todo_list
