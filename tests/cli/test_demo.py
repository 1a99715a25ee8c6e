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
        "pixels contains 2 components",
        "pixels 99 %, 10 components 98 %, 2 components 59 %, ink 12 %",
        "picture: infoscope-demo.png",
        "infoscope compare --space A=mydata.csv:0-4",
    ):
        assert part in ran.out, part
    assert ran.out.count("±") >= 12
