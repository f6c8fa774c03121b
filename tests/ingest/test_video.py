import shutil

import av
import pytest

from ingest.open_source import open_source
from models.errors import SourceError


@pytest.fixture
def opened(clock, camera):
    def build(address):
        return open_source(camera(address), clock=clock, allow_private=False)

    return build


def second_of(shot) -> float:
    """The frames of the built film tell their second by their grey level."""
    return round((float(shot.image.mean()) - 20) / 10, 1)


@pytest.mark.parametrize("gop", [10, 1000])
async def test_a_look_gives_the_picture_of_its_moment_and_the_film_begins_again(opened, video, clock, gop):
    source = opened(video(seconds=6, gop=gop))
    seen = []
    for _ in range(6):
        seen.append(second_of(await source.look(deadline_s=10)))
        clock.advance(seconds=2.5)
    assert seen == pytest.approx([0, 2, 5, 1, 4, 0], abs=0.35)
    await source.close()


async def test_two_cameras_may_show_the_same_film_from_different_places(opened, video):
    path = video()
    shots = [await opened(f"{path}#t={start}").look(deadline_s=10) for start in (0.5, 3.5)]
    assert [second_of(shot) for shot in shots] == pytest.approx([0, 3], abs=0.45)


async def test_a_clock_set_back_shows_the_beginning(opened, video, clock):
    source = opened(video())
    clock.advance(seconds=-3600)
    assert second_of(await source.look(deadline_s=10)) == pytest.approx(0, abs=0.35)
    await source.close()


async def test_a_real_clip_plays_across_its_end(opened, clip, clock):
    source = opened(clip("road-bgslibrary-video.mp4"))
    for _ in range(8):
        assert (await source.look(deadline_s=10)).image.shape == (360, 640, 3)
        clock.advance(seconds=4.7)
    await source.close()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"not a video at all" * 100, "not a video"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/a.ts\n", "not a video"),
    ],
)
async def test_a_file_that_is_no_video_says_so(opened, tmp_path, content, words):
    (tmp_path / "bad.mp4").write_bytes(content)
    with pytest.raises(SourceError, match=words) as raised:
        await opened(tmp_path / "bad.mp4").look(deadline_s=5)
    assert raised.value.reason == "not_a_picture"


async def test_a_video_cut_off_before_its_index_says_so(opened, video, tmp_path):
    whole = video().read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="not a video that can be read"):
        await opened(tmp_path / "cut.mp4").look(deadline_s=5)


async def test_a_video_of_no_frames_says_so(opened, tmp_path):
    path = tmp_path / "none.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        container.start_encoding()
    with pytest.raises(SourceError) as raised:
        await opened(path).look(deadline_s=5)
    assert raised.value.reason == "not_a_picture"


def blank(path, *, first_s, last_s):
    """Zeroes over the data of every packet of a stretch of the film."""
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if packet.pts is not None and first_s <= packet.pts * packet.time_base <= last_s:
                data[packet.pos : packet.pos + packet.size] = bytes(packet.size)
    path.write_bytes(data)


async def test_a_damaged_stretch_is_stepped_over(opened, video, clock):
    path = video(seconds=6)
    blank(path, first_s=1.8, last_s=3.4)
    source = opened(path)
    levels = []
    for _ in range(12):
        levels.append(int((await source.look(deadline_s=10)).image.mean()))
        clock.advance(seconds=0.5)
    assert len(levels) == 12
    assert levels[-1] > levels[0] + 40
    await source.close()


async def test_a_film_damaged_to_its_end_keeps_its_last_good_picture(opened, video, clock):
    path = video(seconds=6)
    blank(path, first_s=3.0, last_s=6.0)
    source = opened(path)
    clock.advance(seconds=2.5)
    good = (await source.look(deadline_s=10)).image.mean()
    clock.advance(seconds=2.5)
    assert (await source.look(deadline_s=10)).image.mean() == pytest.approx(good, abs=2)
    await source.close()


async def test_a_film_opened_at_a_damaged_place_shows_its_beginning(opened, video, clock):
    path = video(seconds=6)
    blank(path, first_s=3.0, last_s=6.0)
    source = opened(path)
    clock.advance(seconds=5)
    assert (await source.look(deadline_s=10)).image.size
    await source.close()


async def test_a_missing_file_says_so_and_is_played_once_it_is_there(opened, video, tmp_path):
    source = opened(video(name="here.mp4"))
    shutil.move(tmp_path / "here.mp4", tmp_path / "away.mp4")
    with pytest.raises(SourceError, match="does not exist") as raised:
        await source.look(deadline_s=5)
    assert raised.value.reason == "missing"
    shutil.move(tmp_path / "away.mp4", tmp_path / "here.mp4")
    assert (await source.look(deadline_s=5)).image.size
    await source.close()


async def test_an_address_that_leads_nowhere_says_so(opened):
    with pytest.raises(SourceError, match="There is no file or folder") as raised:
        opened("no/such/film.mp4")
    assert raised.value.reason == "missing"


async def test_a_recording_that_does_not_know_its_length_plays_and_begins_again(opened, video, tmp_path, clock):
    path = tmp_path / "live.mkv"
    with av.open(str(video(seconds=6))) as film, av.open(str(path), "w", options={"live": "1"}) as copy:
        stream = copy.add_stream_from_template(film.streams.video[0])
        for packet in film.demux(film.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    source = opened(path)
    seen = []
    for _ in range(4):
        seen.append(second_of(await source.look(deadline_s=10)))
        clock.advance(seconds=2.5)
    assert seen == pytest.approx([0, 2, 5, 1], abs=0.45)
    await source.close()


async def test_a_bare_stream_without_time_stamps_says_how_to_give_it_some(opened, video, tmp_path):
    path = tmp_path / "bare.h264"
    with av.open(str(video())) as film, av.open(str(path), "w", format="h264") as copy:
        stream = copy.add_stream_from_template(film.streams.video[0])
        for packet in film.demux(film.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    with pytest.raises(SourceError, match="ffmpeg -i") as raised:
        await opened(path).look(deadline_s=10)
    assert raised.value.reason == "not_a_picture"
