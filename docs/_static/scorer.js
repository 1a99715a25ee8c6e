// How Sphinx ranks what its search finds: as it does itself, but names in which no word begins with what was asked come
// last ("update" for "date").
var Scorer = {
  score: ([, title, , , score, , kind]) => {
    const names = [title, title.replace(/([a-z0-9])([A-Z])/g, "$1_$2")].map((name) => `.${name.toLowerCase()}`);
    const asked = (new URLSearchParams(location.search).get("q") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const begins = asked.some((word) => names.some((name) => name.includes(`.${word}`) || name.includes(`_${word}`)));
    return kind !== "object" || begins ? score : -10;
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
