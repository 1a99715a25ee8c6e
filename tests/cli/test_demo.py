"""The demonstration runs offline, tells its story, and leaves a picture."""

import socket


def test_demo(tmp_path, monkeypatch, infoscope):
    def offline(*arguments, **options):
        raise OSError("the network is not to be used")

    monkeypatch.setattr(socket.socket, "connect", offline)
    monkeypatch.chdir(tmp_path)
    ran = infoscope("demo")
    assert ran.code == 0 and ran.err == ""
    assert [item.name for item in tmp_path.iterdir()] == ["infoscope-demo.png"]
    assert (tmp_path / "infoscope-demo.png").read_bytes().startswith(b"\x89PNG")
    for part in (
        "1797 images of handwritten digits",
        "pixels tells most about the others",
        "pixels and 10 components are equivalent",
        "pixels contains quarters",
        "In plain words: ten well-chosen numbers can stand for all 64 pixels",
        "pixels 99 %, 10 components 98 %, quarters 57 %, shades 22 %",
        "picture: infoscope-demo.png",
        "infoscope compare --space A=mydata.csv:0-4",
    ):
        assert part in ran.out, part
    assert ran.out.count("±") >= 12


def test_what_the_demo_says_in_words_is_true():
    from infoscope import Space, imbalance_matrix
    from infoscope.datasets import digit_descriptions

    result = imbalance_matrix(
        {name: Space(frame) for name, frame in digit_descriptions()[0].items()}, exclusion_window=0
    )
    assert result.pair("pixels", "10 components").relation == "equivalent"
    shades, quarters = (result.pair(name, "pixels") for name in ("shades", "quarters"))
    assert quarters.a_to_b + 5 * quarters.a_to_b_se < shades.a_to_b - 5 * shades.a_to_b_se
