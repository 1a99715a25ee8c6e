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
    "neighbor_overlap": """@inproceedings{doimo2020hierarchical,
  author  = {Doimo, Diego and Glielmo, Aldo and Ansuini, Alessio and Laio, Alessandro},
  title   = {Hierarchical nucleation in deep neural networks},
  booktitle = {Advances in Neural Information Processing Systems},
  volume  = {33},
  year    = {2020},
  eprint  = {2007.03506},
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
    "local_likelihood": """@inproceedings{levina2004maximum,
  author  = {Levina, Elizaveta and Bickel, Peter J.},
  title   = {Maximum likelihood estimation of intrinsic dimension},
  booktitle = {Advances in Neural Information Processing Systems},
  volume  = {17},
  year    = {2004}
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
    "i3d": """@article{macocco2023intrinsic,
  author  = {Macocco, Iuri and Glielmo, Aldo and Grilli, Jacopo and Laio, Alessandro},
  title   = {Intrinsic dimension estimation for discrete metrics},
  journal = {Physical Review Letters},
  volume  = {130},
  pages   = {067401},
  year    = {2023},
  doi     = {10.1103/PhysRevLett.130.067401}
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
    "jeffreys": """@article{jeffreys1946invariant,
  author  = {Jeffreys, Harold},
  title   = {An invariant form for the prior probability in estimation problems},
  journal = {Proceedings of the Royal Society of London A},
  volume  = {186},
  pages   = {453--461},
  year    = {1946},
  doi     = {10.1098/rspa.1946.0056}
}""",
    "knn_divergence": """@article{wang2009divergence,
  author  = {Wang, Qing and Kulkarni, Sanjeev R. and Verd{\\'u}, Sergio},
  title   = {Divergence estimation for multidimensional densities via $k$-nearest-neighbor distances},
  journal = {IEEE Transactions on Information Theory},
  volume  = {55},
  pages   = {2392--2405},
  year    = {2009},
  doi     = {10.1109/TIT.2009.2016060}
}""",
    "frechet_inception": """@inproceedings{heusel2017gans,
  author    = {Heusel, Martin and Ramsauer, Hubert and Unterthiner, Thomas and Nessler, Bernhard and
               Hochreiter, Sepp},
  title     = {{GANs} trained by a two time-scale update rule converge to a local {Nash} equilibrium},
  booktitle = {Advances in Neural Information Processing Systems 30},
  year      = {2017}
}""",
    "mmd": """@article{gretton2012kernel,
  author  = {Gretton, Arthur and Borgwardt, Karsten M. and Rasch, Malte J. and Sch{\\"o}lkopf, Bernhard and
             Smola, Alexander},
  title   = {A kernel two-sample test},
  journal = {Journal of Machine Learning Research},
  volume  = {13},
  pages   = {723--773},
  year    = {2012}
}""",
    "sliced_wasserstein": """@article{bonneel2015sliced,
  author  = {Bonneel, Nicolas and Rabin, Julien and Peyr{\\'e}, Gabriel and Pfister, Hanspeter},
  title   = {Sliced and {Radon} {Wasserstein} barycenters of measures},
  journal = {Journal of Mathematical Imaging and Vision},
  volume  = {51},
  pages   = {22--45},
  year    = {2015},
  doi     = {10.1007/s10851-014-0506-3}
}""",
    "vmf_sliced_wasserstein": """@article{nguyen2023selfattention,
  author  = {Nguyen, Khai and Nguyen, Dang and Ho, Nhat},
  title   = {Self-attention amortized distributional projection optimization for sliced {Wasserstein}
             point-cloud reconstruction},
  year    = {2023},
  eprint  = {2301.04791},
  archivePrefix = {arXiv}
}""",
    "cauchy_schwarz": """@inproceedings{yu2024cauchy,
  author        = {Yu, Shujian and Yu, Xi and L{\\o}kse, Sigurd and Jenssen, Robert and Pr{\\'i}ncipe, Jos{\\'e} C.},
  title         = {{Cauchy-Schwarz} divergence information bottleneck for regression},
  booktitle     = {International Conference on Learning Representations},
  year          = {2024},
  eprint        = {2404.17951},
  archivePrefix = {arXiv}
}""",
    "benjamini_hochberg": """@article{benjamini1995controlling,
  author  = {Benjamini, Yoav and Hochberg, Yosef},
  title   = {Controlling the false discovery rate: a practical and powerful approach to multiple testing},
  journal = {Journal of the Royal Statistical Society B},
  volume  = {57},
  pages   = {289--300},
  year    = {1995},
  doi     = {10.1111/j.2517-6161.1995.tb02031.x}
}""",
    "vendi": """@article{friedman2023vendi,
  author  = {Friedman, Dan and Dieng, Adji Bousso},
  title   = {The {Vendi} score: a diversity evaluation metric for machine learning},
  journal = {Transactions on Machine Learning Research},
  year    = {2023},
  eprint  = {2210.02410},
  archivePrefix = {arXiv}
}""",
    "vendi_orders": """@article{pasarkar2023cousins,
  author  = {Pasarkar, Amey P. and Dieng, Adji Bousso},
  title   = {Cousins of the {Vendi} score: a family of similarity-based diversity metrics for science and machine
             learning},
  year    = {2023},
  eprint  = {2310.12952},
  archivePrefix = {arXiv}
}""",
    "vendi_convergence": """@article{ospanov2024statistical,
  author  = {Ospanov, Azim and Farnia, Farzan},
  title   = {On the statistical complexity of estimating {Vendi} scores from empirical data},
  year    = {2024},
  eprint  = {2410.21719},
  archivePrefix = {arXiv}
}""",
    "diffusion_entropy": """@article{liao2023assessing,
  author  = {Liao, Danqi and Liu, Chen and Christensen, Benjamin W. and Tong, Alexander and Huguet, Guillaume and
             Wolf, Guy and Nickel, Maximilian and Adelstein, Ian and Krishnaswamy, Smita},
  title   = {Assessing neural network representations during training using noise-resilient diffusion spectral
             entropy},
  year    = {2023},
  eprint  = {2312.04823},
  archivePrefix = {arXiv}
}""",
    "matrix_nuclear_norm": """@article{li2024large,
  author  = {Li, Yahan and Xia, Tingyu and Chang, Yi and Wu, Yuan},
  title   = {Large language model evaluation via matrix nuclear-norm},
  year    = {2024},
  eprint  = {2410.10672},
  archivePrefix = {arXiv}
}""",
    "manifold_capacity": """@article{yerxa2023learning,
  author  = {Yerxa, Thomas and Kuang, Yilun and Simoncelli, Eero and Chung, SueYeon},
  title   = {Learning efficient coding of natural images with maximum manifold capacity representations},
  year    = {2023},
  eprint  = {2303.03307},
  archivePrefix = {arXiv}
}""",
    "effective_features": """@misc{superposition2025,
  title   = {Superposition as lossy compression: measure with sparse autoencoders and connect to adversarial
             vulnerability},
  year    = {2025},
  eprint  = {2512.13568},
  archivePrefix = {arXiv}
}""",
    "kernel_derivatives": """@article{chacon2011asymptotics,
  author  = {Chac{\\'o}n, Jos{\\'e} E. and Duong, Tarn and Wand, M. P.},
  title   = {Asymptotics for general multivariate kernel density derivative estimators},
  journal = {Statistica Sinica},
  volume  = {21},
  number  = {2},
  pages   = {807--840},
  year    = {2011}
}""",
    "information_estimation": """@misc{informationestimation2025,
  title   = {Learning a distance measure from the information-estimation geometry of data},
  year    = {2025},
  eprint  = {2510.02514},
  archivePrefix = {arXiv}
}""",
    "perceptual_scale": """@misc{vacher2023perceptual,
  author  = {Vacher, Jonathan and Mamassian, Pascal},
  title   = {Perceptual scales predicted by {Fisher} information metrics},
  year    = {2023},
  eprint  = {2310.11759},
  archivePrefix = {arXiv}
}""",
    "information_plane": """@misc{informationplane2023,
  title   = {Information bottleneck analysis of deep neural networks via lossy compression},
  author  = {Butakov, Ivan and Tolmachev, Alexander and Malanchuk, Sofia and Neopryatnaya, Anna and Frolov, Alexey and
             Andreev, Kirill},
  year    = {2023},
  eprint  = {2305.08013},
  archivePrefix = {arXiv}
}""",
    "transfer_entropy": """@article{schreiber2000measuring,
  author  = {Schreiber, Thomas},
  title   = {Measuring information transfer},
  journal = {Physical Review Letters},
  volume  = {85},
  pages   = {461--464},
  year    = {2000},
  doi     = {10.1103/PhysRevLett.85.461}
}""",
    "reversible_transfer": """@article{deltatto2025causality,
  author  = {Del Tatto, Vittorio and Banerjee, Debarshi and Hassanali, Ali and Laio, Alessandro},
  title   = {arXiv:2502.19384},
  year    = {2025},
  eprint  = {2502.19384},
  archivePrefix = {arXiv}
}""",
    "imbalance_gain": """@article{deltatto2024robust,
  author  = {Del Tatto, Vittorio and Fortunato, Gianfranco and Bueti, Domenica and Laio, Alessandro},
  title   = {Robust inference of causality in high-dimensional dynamical processes from the Information Imbalance of
             distance ranks},
  journal = {Proceedings of the National Academy of Sciences},
  volume  = {121},
  number  = {19},
  pages   = {e2317256121},
  year    = {2024},
  doi     = {10.1073/pnas.2317256121},
  eprint  = {2305.10817},
  archivePrefix = {arXiv}
}""",
    "jarzynski_paths": """@misc{schonle2024sampling,
  author  = {Sch{\\"o}nle, Christoph and Gabri{\\'e}, Marylou and Leli{\\`e}vre, Tony and Stoltz, Gabriel},
  title   = {Sampling metastable systems using collective variables and {J}arzynski--{C}rooks paths},
  year    = {2024},
  eprint  = {2405.18160},
  archivePrefix = {arXiv}
}""",
    "nonlocal_variables": """@misc{schonle2025efficient,
  author  = {Sch{\\"o}nle, Christoph and Carbone, Davide and Gabri{\\'e}, Marylou and Leli{\\`e}vre, Tony
             and Stoltz, Gabriel},
  title   = {Efficient {M}onte-{C}arlo sampling of metastable systems using non-local collective variable updates},
  year    = {2025},
  eprint  = {2512.16812},
  archivePrefix = {arXiv}
}""",
    "flow_sampling": """@article{tamagnone2024coarse,
  author  = {Tamagnone, S. and Laio, A. and Gabri{\\'e}, M.},
  title   = {Coarse-grained molecular dynamics with normalizing flows},
  journal = {Journal of Chemical Theory and Computation},
  volume  = {20},
  number  = {18},
  pages   = {7796--7805},
  year    = {2024},
  eprint  = {2406.01524},
  archivePrefix = {arXiv}
}""",
    "foundation_states": """@article{rende2025foundation,
  author  = {Rende, Riccardo and Viteritti, Luciano Loris and Becca, Federico and Scardicchio, Antonello and
             Laio, Alessandro and Carleo, Giuseppe},
  title   = {Foundation neural-networks quantum states as a unified Ansatz for multiple hamiltonians},
  journal = {Nature Communications},
  volume  = {16},
  pages   = {7213},
  year    = {2025},
  eprint  = {2502.09488},
  archivePrefix = {arXiv}
}""",
    "fidelity_metric": """@article{zanardi2007information,
  author  = {Zanardi, Paolo and Giorda, Paolo and Cozzini, Marco},
  title   = {Information-theoretic differential geometry of quantum phase transitions},
  journal = {Physical Review Letters},
  volume  = {99},
  pages   = {100603},
  year    = {2007}
}""",
    "v_score": """@article{wu2024variational,
  author  = {Wu, Dian and Rossi, Riccardo and Vicentini, Filippo and others},
  title   = {Variational benchmarks for quantum many-body problems},
  journal = {Science},
  volume  = {386},
  pages   = {296--301},
  year    = {2024}
}""",
    "real_nvp": """@misc{dinh2016density,
  author  = {Dinh, Laurent and Sohl-Dickstein, Jascha and Bengio, Samy},
  title   = {Density estimation using {Real NVP}},
  year    = {2016},
  eprint  = {1605.08803},
  archivePrefix = {arXiv}
}""",
    "neural_splines": """@misc{durkan2019neural,
  author  = {Durkan, Conor and Bekasov, Artur and Murray, Iain and Papamakarios, George},
  title   = {Neural spline flows},
  year    = {2019},
  eprint  = {1906.04032},
  archivePrefix = {arXiv}
}""",
    "circular_splines": """@misc{rezende2020normalizing,
  author  = {Rezende, Danilo Jimenez and Papamakarios, George and Racani{\\`e}re, S{\\'e}bastien and
             Albergo, Michael S. and Kanwar, Gurtej and Shanahan, Phiala E. and Cranmer, Kyle},
  title   = {Normalizing flows on tori and spheres},
  year    = {2020},
  eprint  = {2002.02428},
  archivePrefix = {arXiv}
}""",
    "adaptive_flows": """@article{gabrie2022adaptive,
  author  = {Gabri{\\'e}, Marylou and Rotskoff, Grant M. and Vanden-Eijnden, Eric},
  title   = {Adaptive {Monte Carlo} augmented with normalizing flows},
  journal = {Proceedings of the National Academy of Sciences},
  volume  = {119},
  pages   = {e2109420119},
  year    = {2022},
  doi     = {10.1073/pnas.2109420119},
  eprint  = {2105.12603},
  archivePrefix = {arXiv}
}""",
    "bennett": """@article{bennett1976efficient,
  author  = {Bennett, Charles H.},
  title   = {Efficient estimation of free energy differences from {M}onte {C}arlo data},
  journal = {Journal of Computational Physics},
  volume  = {22},
  pages   = {245--268},
  year    = {1976},
  doi     = {10.1016/0021-9991(76)90078-4}
}""",
    "calibrated_similarity": """@article{groger2026revisiting,
  author  = {Gr{\\"o}ger, Fabian and Wen and Brbi{\\'c}},
  title   = {Revisiting the {P}latonic representation hypothesis: an {A}ristotelian view},
  year    = {2026},
  eprint  = {2602.14486},
  archivePrefix = {arXiv}
}""",
    "cka": """@inproceedings{kornblith2019similarity,
  author    = {Kornblith, Simon and Norouzi, Mohammad and Lee, Honglak and Hinton, Geoffrey},
  title     = {Similarity of neural network representations revisited},
  booktitle = {International Conference on Machine Learning},
  year      = {2019}
}""",
    "community_causal_graph": """@article{allione2025linear,
  author  = {Allione, Matteo and Del Tatto, Vittorio and Laio, Alessandro},
  title   = {arXiv:2501.10886},
  year    = {2025},
  eprint  = {2501.10886},
  archivePrefix = {arXiv}
}""",
    "data_clones": """@inproceedings{rende2024distributional,
  author    = {Rende, Riccardo and Gerace, Federica and Laio, Alessandro and Goldt, Sebastian},
  title     = {A distributional simplicity bias in the learning dynamics of transformers},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {37},
  year      = {2024},
  eprint    = {2410.19637},
  archivePrefix = {arXiv}
}""",
    "transverse_ising": """@article{pfeuty1970one,
  author  = {Pfeuty, Pierre},
  title   = {The one-dimensional {I}sing model with a transverse field},
  journal = {Annals of Physics},
  volume  = {57},
  number  = {1},
  pages   = {79--90},
  year    = {1970},
  doi     = {10.1016/0003-4916(70)90270-8}
}""",
    "fidelity_susceptibility": """@article{gu2010fidelity,
  author  = {Gu, Shi-Jian},
  title   = {Fidelity approach to quantum phase transitions},
  journal = {International Journal of Modern Physics B},
  volume  = {24},
  number  = {23},
  pages   = {4371--4458},
  year    = {2010},
  doi     = {10.1142/S0217979210056335},
  eprint  = {0811.3127},
  archivePrefix = {arXiv}
}""",
    "exact_diagonalisation": """@book{lehoucq1998arpack,
  author  = {Lehoucq, Richard B. and Sorensen, Danny C. and Yang, Chao},
  title   = {{ARPACK} Users' Guide: Solution of Large-Scale Eigenvalue Problems with Implicitly Restarted {A}rnoldi
             Methods},
  publisher = {SIAM},
  year    = {1998},
  doi     = {10.1137/1.9780898719628}
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
