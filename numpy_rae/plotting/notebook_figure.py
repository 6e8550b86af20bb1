"""A figure that a notebook shows once. This module loads matplotlib, so `style.new_figure` imports it late."""

import io

from matplotlib.figure import Figure


class NotebookFigure(Figure):
    """A figure without a window. A notebook shows it if it is the last expression of a cell.

    IPython can show other figures of matplotlib only after its state-based interface is imported. Figures of that
    interface are shown twice: as the value of the cell, and at the end of the cell.
    """

    def _repr_png_(self) -> bytes:
        """Return the figure as a PNG image."""
        from numpy_rae.plotting.style import default_style

        buffer = io.BytesIO()
        with default_style():
            self.savefig(buffer, format="png", dpi=100)
        return buffer.getvalue()
