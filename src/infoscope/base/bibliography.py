"""BibTeX of the papers behind the methods, by short key."""

from __future__ import annotations

from .errors import ParameterError

REFERENCES: dict[str, str] = {
    "information_imbalance": """@article{glielmo2022ranking,
  author  = {Glielmo, Aldo and Zeni, Claudio and Cheng, Bingqing and Cs{\\'a}nyi, G{\\'a}bor and Laio, Alessandro},
  title   = {Ranking the information content of distance measures},
  journal = {PNAS Nexus},
  volume  = {1},
  number  = {2},
  pages   = {pgac039},
  year    = {2022},
  doi     = {10.1093/pnasnexus/pgac039},
  eprint  = {2104.15079},
  archivePrefix = {arXiv}
}""",
    "differentiable_imbalance": """@article{wild2025automatic,
  author  = {Wild, Romina and Wodaczek, Felix and Del Tatto, Vittorio and Cheng, Bingqing and Laio, Alessandro},
  title   = {Automatic feature selection and weighting in molecular systems using Differentiable Information Imbalance},
  journal = {Nature Communications},
  volume  = {16},
  pages   = {270},
  year    = {2025},
  doi     = {10.1038/s41467-024-55449-7},
  eprint  = {2411.00851},
  archivePrefix = {arXiv}
}""",
    "two_nn": """@article{facco2017estimating,
  author  = {Facco, Elena and d'Errico, Maria and Rodriguez, Alex and Laio, Alessandro},
  title   = {Estimating the intrinsic dimension of datasets by a minimal neighborhood information},
  journal = {Scientific Reports},
  volume  = {7},
  pages   = {12140},
  year    = {2017},
  doi     = {10.1038/s41598-017-11873-y}
}""",
    "gride": """@article{denti2022generalized,
  author  = {Denti, Francesco and Doimo, Diego and Laio, Alessandro and Mira, Antonietta},
  title   = {The generalized ratios intrinsic dimension estimator},
  journal = {Scientific Reports},
  volume  = {12},
  pages   = {20005},
  year    = {2022},
  doi     = {10.1038/s41598-022-20991-1}
}""",
    "abide": """@article{dinoia2024beyond,
  author  = {Di Noia, Antonio and Macocco, Iuri and Glielmo, Aldo and Laio, Alessandro and Mira, Antonietta},
  title   = {Beyond the noise: intrinsic dimension estimation with optimal neighbourhood identification},
  year    = {2024},
  eprint  = {2405.15132},
  archivePrefix = {arXiv}
}""",
    "pak": """@article{rodriguez2018computing,
  author  = {Rodriguez, Alex and d'Errico, Maria and Facco, Elena and Laio, Alessandro},
  title   = {Computing the free energy without collective variables},
  journal = {Journal of Chemical Theory and Computation},
  volume  = {14},
  number  = {3},
  pages   = {1206--1215},
  year    = {2018},
  doi     = {10.1021/acs.jctc.7b00916}
}""",
    "bmti": """@article{carli2024density,
  author  = {Carli, Matteo and Rodriguez, Alex and Laio, Alessandro and Glielmo, Aldo},
  title   = {Density estimation via binless multidimensional integration},
  year    = {2024},
  eprint  = {2407.08094},
  archivePrefix = {arXiv}
}""",
    "k_star": """@article{derrico2021automatic,
  author  = {d'Errico, Maria and Facco, Elena and Laio, Alessandro and Rodriguez, Alex},
  title   = {Automatic topography of high-dimensional data sets by non-parametric density peak clustering},
  journal = {Information Sciences},
  volume  = {560},
  pages   = {476--492},
  year    = {2021},
  doi     = {10.1016/j.ins.2021.01.010}
}""",
    "eagleeye": """@article{springer2025detecting,
  author  = {Springer, Sebastian and Scaffidi, Andre and Autenrieth, Maximilian and Contardo, Gabriella and
             Laio, Alessandro and Trotta, Roberto and Haario, Heikki},
  title   = {Detecting localized density anomalies in multivariate data via coin-flip statistics},
  year    = {2025},
  eprint  = {2503.23927},
  archivePrefix = {arXiv}
}""",
    "bid": """@article{acevedo2024unsupervised,
  author  = {Acevedo, Santiago and Rodriguez, Alex and Laio, Alessandro},
  title   = {Unsupervised detection of semantic correlations in big data},
  year    = {2024},
  eprint  = {2411.02126},
  archivePrefix = {arXiv}
}""",
    "ksg": """@article{kraskov2004estimating,
  author  = {Kraskov, Alexander and St{\\"o}gbauer, Harald and Grassberger, Peter},
  title   = {Estimating mutual information},
  journal = {Physical Review E},
  volume  = {69},
  pages   = {066138},
  year    = {2004},
  doi     = {10.1103/PhysRevE.69.066138}
}""",
    "mixed_information": """@inproceedings{gao2017estimating,
  author    = {Gao, Weihao and Kannan, Sreeram and Oh, Sewoong and Viswanath, Pramod},
  title     = {Estimating mutual information for discrete-continuous mixtures},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2017},
  eprint    = {1709.06212},
  archivePrefix = {arXiv}
}""",
    "label_information": """@article{ross2014mutual,
  author  = {Ross, Brian C.},
  title   = {Mutual information between discrete and continuous data sets},
  journal = {PLoS ONE},
  volume  = {9},
  number  = {2},
  pages   = {e87357},
  year    = {2014},
  doi     = {10.1371/journal.pone.0087357}
}""",
    "copula_information": """@article{ince2017statistical,
  author  = {Ince, Robin A. A. and Giordano, Bruno L. and Kayser, Christoph and Rousselet, Guillaume A. and
             Gross, Joachim and Schyns, Philippe G.},
  title   = {A statistical framework for neuroimaging data analysis based on mutual information estimated via a
             Gaussian copula},
  journal = {Human Brain Mapping},
  volume  = {38},
  pages   = {1541--1573},
  year    = {2017},
  doi     = {10.1002/hbm.23471}
}""",
    "conditional_information": """@article{frenzel2007partial,
  author  = {Frenzel, Stefan and Pompe, Bernd},
  title   = {Partial mutual information for coupling analysis of multivariate time series},
  journal = {Physical Review Letters},
  volume  = {99},
  pages   = {204101},
  year    = {2007},
  doi     = {10.1103/PhysRevLett.99.204101}
}""",
    "entropy": """@article{kozachenko1987sample,
  author  = {Kozachenko, L. F. and Leonenko, N. N.},
  title   = {Sample estimate of the entropy of a random vector},
  journal = {Problems of Information Transmission},
  volume  = {23},
  pages   = {95--101},
  year    = {1987}
}""",
    "error_of_information": """@article{holmes2019estimation,
  author  = {Holmes, Caroline M. and Nemenman, Ilya},
  title   = {Estimation of mutual information for real-valued data with error bars and controlled bias},
  journal = {Physical Review E},
  volume  = {100},
  pages   = {022404},
  year    = {2019},
  doi     = {10.1103/PhysRevE.100.022404}
}""",
    "infoscope": """@software{infoscope,
  author = {{The infoscope developers}},
  title  = {infoscope: an instrument for high-dimensional data},
  year   = {2026}
}""",
}


def bibtex(*keys: str) -> str:
    """BibTeX entries of `keys`, each once, in order.

    Parameters
    ----------
    *keys : str
        Keys of `REFERENCES`.

    Returns
    -------
    str
        One entry after the other.

    Raises
    ------
    ParameterError
        If a key is unknown.

    Examples
    --------
    >>> from infoscope.base import bibtex
    >>> bibtex("infoscope").splitlines()[0]
    '@software{infoscope,'
    """
    unknown = [key for key in keys if key not in REFERENCES]
    if unknown:
        raise ParameterError(f"no reference called {unknown[0]!r}; there are {', '.join(REFERENCES)}")
    return "\n\n".join(REFERENCES[key] for key in dict.fromkeys(keys))
