"""A figure that a notebook shows once. `style.new_figure` loads this module, because it needs matplotlib at once."""

import io

from matplotlib.figure import Figure


class NotebookFigure(Figure):
    """A figure of no window, which a notebook shows where it is the last expression of a cell.

    IPython can draw matplotlib's own figures only after matplotlib's interactive module is imported. Figures of that
    module are shown twice: as the value of the cell, and at the end of the cell.
    """

    def _repr_png_(self) -> bytes:
        """Return the figure as a PNG image."""
        from numpy_rae.plotting.style import default_style

        buffer = io.BytesIO()
        with default_style():
            self.savefig(buffer, format="png", dpi=100)
        return buffer.getvalue()
