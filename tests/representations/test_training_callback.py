"""Layer profiles logged by the Trainer: numbers of single pairs, and a training that does not notice."""

import numpy as np
import pytest

from infoscope import TwoNN, information_imbalance
from infoscope.base import DataError, DataWarning, ParameterError
from infoscope.representations import LayerProfileCallback, compare_checkpoints

transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")
WORDS = [f"w{i}" for i in range(30)]
G = np.random.default_rng(0)
TEXTS = [" ".join(G.choice(WORDS, 6)) for _ in range(40)]
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def tokenizer():
    tokenizers = pytest.importorskip("tokenizers")
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", *WORDS])}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]")


def train(tokenizer, folder, profile=None, attach=False, steps=4, break_at=None):
    """A tiny network with dropout, which needs random numbers at every step; gives the Trainer and its losses."""
    torch.manual_seed(1)
    config = transformers.GPT2Config(
        vocab_size=32, n_positions=16, n_embd=16, n_layer=2, n_head=2, resid_pdrop=0.3, embd_pdrop=0.3, attn_pdrop=0.3,
        bos_token_id=None, eos_token_id=None, pad_token_id=0,
    )  # fmt: skip
    model = transformers.GPT2LMHeadModel(config)
    model.transformer.h[0].mlp.eval()  # a mode of its own
    rows = tokenizer(TEXTS)["input_ids"]
    data = [{"input_ids": row, "labels": row} for row in rows]
    arguments = transformers.TrainingArguments(
        str(folder), per_device_train_batch_size=8, max_steps=steps, logging_steps=1, save_strategy="no",
        report_to=[], learning_rate=0.05, seed=3, use_cpu=True, disable_tqdm=True,
    )  # fmt: skip
    trainer = transformers.Trainer(model, arguments, train_dataset=data, processing_class=tokenizer)
    if profile is not None:
        profile.attach(trainer) if attach else trainer.add_callback(profile)
    if break_at is not None:
        trainer.add_callback(Break(break_at))
    trainer.train()
    return trainer, [one["loss"] for one in trainer.state.log_history if "loss" in one]


class Break(transformers.TrainerCallback):
    """Weights become NaN before the callback looks at them: callbacks are called in their order."""

    def __init__(self, step):
        self.step = step

    def on_optimizer_step(self, args, state, control, model=None, **_):
        if state.global_step == self.step - 1:
            with torch.no_grad():
                model.transformer.h[1].mlp.c_fc.weight.fill_(float("nan"))


@pytest.fixture(scope="module")
def trained(tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    profile = LayerProfileCallback(TEXTS[:30], folder / "profiles", every=2, dtype="float32")
    trainer, losses = train(tokenizer, folder / "with", profile, attach=True)
    return profile, trainer, losses


def test_training_does_not_notice(tokenizer, trained, tmp_path):
    """Losses of all steps and weights at the end, bit by bit, and the modes of all modules."""
    plain, losses = train(tokenizer, tmp_path / "without")
    assert len(losses) == 4 and trained[2] == losses
    ours, theirs = trained[1].model.state_dict(), plain.model.state_dict()
    assert all(torch.equal(one, theirs[name]) for name, one in ours.items())
    assert [m.training for m in trained[1].model.modules()] == [m.training for m in plain.model.modules()]


def test_what_is_logged_are_the_numbers_of_the_stores(trained):
    profile, trainer, _ = trained
    assert list(profile.checkpoints()) == [0, 2, 4]
    stores = {step: load() for step, load in profile.checkpoints().items()}
    assert stores[0].layers == ("embedding", "h.0", "h.1", "output") and len(stores[0]) == 30
    logged = {one["step"]: one for one in trainer.state.log_history if "layers/h.1/to_output" in one}
    assert list(logged) == [0, 2, 4] and len(profile.to_frame()) == 12
    for step, store in stores.items():
        space = store.space("h.1")
        to_output = information_imbalance(space, store.space("output"), exclusion_window=0)
        to_start = information_imbalance(space, stores[0].space("h.1"), exclusion_window=0)
        assert logged[step]["layers/h.1/to_output"] == to_output.a_to_b
        assert logged[step]["layers/h.1/to_start"] == to_start.a_to_b
        assert logged[step]["layers/h.1/to_start_se"] == to_start.a_to_b_se
        assert logged[step]["layers/h.1/dimension"] == TwoNN().fit(space, exclusion_window=0).dimension_
    assert logged[0]["layers/h.0/to_start"] == pytest.approx(2 / 30)
    assert logged[4]["layers/h.0/to_start"] > 0.1
    found = compare_checkpoints(profile.checkpoints(), "first")
    assert found.checkpoints == ("0", "2", "4") and found.changed.tolist()[0] == [False] * 4 and found.changed[2].all()


def test_numbers_are_in_the_history_of_a_trainer_that_was_not_attached(tokenizer, trained, tmp_path):
    profile = LayerProfileCallback(TEXTS[:30], tmp_path / "profiles", every=3, dtype="float32")
    trainer, losses = train(tokenizer, tmp_path / "run", profile, steps=4)
    assert losses == trained[2] and list(profile.checkpoints()) == [0, 3, 4]
    steps = [one["step"] for one in trainer.state.log_history if "layers/output/dimension" in one]
    assert steps == [0, 3, 4]


def test_a_training_that_breaks_goes_on_and_one_that_cannot_be_looked_at_does_not_start(tokenizer, tmp_path):
    profile = LayerProfileCallback(TEXTS[:30], tmp_path / "profiles", every=2)
    with pytest.warns(DataWarning, match="no layer profile of step 2: .*not finite"):
        train(tokenizer, tmp_path / "run", profile, break_at=2, steps=3)
    assert {row["step"] for row in profile.rows} == {0}
    with pytest.raises(DataError, match="empty text"):
        train(tokenizer, tmp_path / "run", LayerProfileCallback(["", *TEXTS], tmp_path / "empty"))
    first = LayerProfileCallback(TEXTS[:30], tmp_path / "again", every=2)
    train(tokenizer, tmp_path / "run", first, steps=2)
    with pytest.raises(DataError, match="holds step 2, and this training starts at 0"):
        train(tokenizer, tmp_path / "run", LayerProfileCallback(TEXTS[:30], tmp_path / "again"))
    with pytest.raises(ParameterError, match="every"):
        LayerProfileCallback(TEXTS, tmp_path, every=0)
    assert isinstance(first, LayerProfileCallback) and isinstance(first, transformers.TrainerCallback)
