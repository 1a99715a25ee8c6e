"""The question that a result answers, as the subpackage that it comes from asks it."""

from __future__ import annotations

QUESTIONS = {
    "imbalance": "Which data tells about which?",
    "measures": "How much do they share, how rich are they, how far apart?",
    "causality": "What drives what?",
    "dimension": "How many degrees of freedom do the data have?",
    "density": "Where is the data dense, and which states does it visit?",
    "anomalies": "What changed between two data sets?",
    "representations": "What does each layer of a network know?",
    "clones": "Which interactions are there, and which has a model learnt?",
    "sampling": "How does a simulation reach the states that it never visits?",
    "quantum": "How does a whole family of quantum systems behave?",
    "statistics": "How many independent rows do the data hold?",
}


def question_of(subpackage: str) -> str:
    """The question; nothing for results of the user's own.

    Parameters
    ----------
    subpackage : str
        Where the result is from: ``"density"``.

    Returns
    -------
    str

    Examples
    --------
    >>> from infoscope.report.questions import question_of
    >>> question_of("anomalies")
    'What changed between two data sets?'
    """
    return QUESTIONS.get(subpackage, "")
