import polars as pl
import pytest
from invented_posts import make_posts, tell_stories

from workbench.narratives import (
    apply_narrative_labels,
    find_narratives,
    read_narrative_labels,
    write_narrative_labels,
)
from workbench.schema import SourceError


def fill(path, narrative_id, label, translation=None):
    table = pl.read_csv(path, infer_schema=False)
    is_row = pl.col("narrative_id") == str(narrative_id)
    table.with_columns(
        label=pl.when(is_row).then(pl.lit(label)).otherwise("label"),
        translation=pl.when(is_row).then(pl.lit(translation)).otherwise("translation"),
    ).write_csv(path)


def test_a_label_follows_its_content_when_numbers_change(tmp_path):
    path = tmp_path / "narrative_labels.csv"
    tram, _ = tell_stories(30, seed=1, stories=("tram",))
    bread, _ = tell_stories(20, seed=2, stories=("bakery",))
    before = find_narratives(make_posts(tram + bread), seed=7)
    write_narrative_labels(before, path)
    of_bread = before.posts.filter(pl.col("post_id") == "p00049")["narrative_id"][0]
    fill(path, of_bread, "Bread is dear", "Brot ist teuer")
    more, _ = tell_stories(60, seed=2, stories=("bakery",))
    after = find_narratives(make_posts(bread + more + tram[:15]), seed=7)
    labelled = apply_narrative_labels(after, read_narrative_labels(path))
    (row,) = labelled.cards.filter(pl.col("label") == "Bread is dear").rows(named=True)
    assert row["translation"] == "Brot ist teuer"
    members = after.posts.filter(pl.col("narrative_id") == row["narrative_id"])["post_id"]
    assert max(members) < f"p{len(bread + more):05d}"  # all of it is bread


def test_nobodys_work_is_lost(tmp_path):
    path = tmp_path / "narrative_labels.csv"
    tram, _ = tell_stories(20, seed=1, stories=("tram",))
    write_narrative_labels(find_narratives(make_posts(tram), seed=7), path)
    fill(path, 1, "Trams")
    bread, _ = tell_stories(20, seed=2, stories=("bakery",))
    other = find_narratives(make_posts(bread), seed=7)
    kept = write_narrative_labels(other, path)
    assert kept.filter(pl.col("label") == "Trams")["narrative_id"].to_list() == [None]
    assert "Trams" not in apply_narrative_labels(other, read_narrative_labels(path)).cards["label"].to_list()
    again = find_narratives(make_posts(tram), seed=7)
    assert "Trams" in apply_narrative_labels(again, read_narrative_labels(path)).cards["label"].to_list()
    assert write_narrative_labels(again, path).filter(pl.col("label") == "Trams").height == 1


def test_exemplars_are_no_formulas(tmp_path):
    path = tmp_path / "narrative_labels.csv"
    table = write_narrative_labels(find_narratives(make_posts(["=1+1 tram line"] * 3), seed=7), path)
    assert table["exemplar"][0] == "'=1+1 tram line"


def test_no_file_means_no_labels(tmp_path):
    assert read_narrative_labels(tmp_path / "absent.csv").is_empty()


def test_an_empty_line_is_no_label(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("label,translation,fingerprints\n\nBridge,,a1\n\n")
    assert read_narrative_labels(path)["label"].to_list() == ["Bridge"]


def test_a_spoilt_file_is_refused(tmp_path):
    path = tmp_path / "narrative_labels.csv"
    path.write_text("label,terms\nx,y\n", encoding="utf8")
    with pytest.raises(SourceError, match="lacks column 'translation'"):
        read_narrative_labels(path)
    path.write_bytes(b"label,translation,fingerprints\n\xff\xfe\xff,x,y\n")
    with pytest.raises(SourceError, match="cannot be read as CSV"):
        read_narrative_labels(path)
