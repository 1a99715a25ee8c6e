"""State and halo of an item have one name and one colour: in pictures, on pages and among cells."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from infoscope.base.plot_style import APART, colour_of
from infoscope.density import DensityPeaks, PAk


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2)) + np.repeat([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]], 100, axis=0)
    return DensityPeaks(1.0, density=PAk(dimension=2), halo=True).fit(x).result_


def test_groups_of_items(found):
    group, names, colours = found.state_groups()
    assert found.n_clusters == 3 and (found.labels < 0).any() and names == ("0", "1", "2", "halo")
    for item, label in enumerate(found.labels):
        assert names[group[item]] == ("halo" if label < 0 else str(label))
        assert colours[group[item]] == (APART[0] if label < 0 else colour_of(label))


def test_the_picture_the_page_and_the_cells_agree(found):
    anndata = pytest.importorskip("anndata", reason="anndata is not installed (extra files)")
    from infoscope.io import write_to_anndata
    from infoscope.report.explorer import _groups
    from infoscope.report.points import points_of

    ax = found.plot()
    drawn = [to_hex(colour) for colour in ax.collections[0].get_facecolors()]
    plt.close(ax.figure)
    points = points_of(found)
    on_page = _groups(points, np.ones(4), np.ones(4))
    adata = anndata.AnnData(np.asarray(found.coordinates))
    write_to_anndata(found, adata)
    of_cells = dict(zip(adata.obs["infoscope_state"].cat.categories, adata.uns["infoscope_state_colors"], strict=True))
    for item in range(found.n_items):
        page, cell = on_page[points.group[item]], adata.obs["infoscope_state"].iloc[item]
        assert drawn[item] == page["colour"].lower() == of_cells[cell].lower()
        assert page["name"].removeprefix("state ") == cell
