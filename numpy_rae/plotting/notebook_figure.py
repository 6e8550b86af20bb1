"""A figure that a notebook shows once, whether or not pyplot has been imported."""

import io

from matplotlib.figure import Figure


class NotebookFigure(Figure):
    """A figure of no window, which a notebook shows where it is the last expression of a cell.

    IPython can draw matplotlib's own figures only after pyplot has been imported. Figures of pyplot are shown twice: as
    the value of the cell, and at the end of the cell.
    """

    def _repr_png_(self) -> bytes:
        from numpy_rae.plotting.style import default_style

        buffer = io.BytesIO()
        with default_style():
            self.savefig(buffer, format="png", dpi=100)
        return buffer.getvalue()
