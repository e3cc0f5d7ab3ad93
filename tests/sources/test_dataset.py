"""What a dataset.toml may say, and finding the files it lists."""

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from workbench.published_figures import find_figure, list_figures
from workbench.schema import PublishedFigure, SourceError
from workbench.sources import SOURCES, dataset, load_release
from workbench.sources.dataset import read_about

DATASETS = Path(__file__).parents[2] / "datasets"
MINIMAL = 'title = "Ferries"\nplatform = "twitter"\n'
QUOTED = """
[[quoted]]
about = 'origin'
publisher = 'The platform'
published_on = '2021-05-04'
quote = 'We saw one office.'
"""


def about(write, toml: str):
    return read_about(write("case/dataset.toml", toml))


def test_every_key_is_read(write):
    found = about(
        write,
        """
        title = "Ferries"
        platform = "twitter"
        origin = "Lantern Bay, according to nobody"
        licence = "CC0"
        collected = "2021"
        source = "invented"
        is_synthetic = true
        notes = ["invented"]
        published = [
          { name = "n_posts", value = 3, tolerance = 1, source = "us" },
          { name = "first_account_created_on", value = "2017-08-30", source = "a newspaper" },
        ]
        [announced]
        accounts = 2
        posts = 3
        [files]
        "a.csv" = ""
        "b.csv" = { sha256 = "00", holds = "posts", obtain = "ask" }
        [sources]
        us = "our own count"
        [options]
        trace = "url"
        """,
    )
    assert (found.name, found.title, found.platform, found.is_synthetic) == ("case", "Ferries", "twitter", True)
    assert (found.origin, found.licence, found.collected, found.source) == (
        "Lantern Bay, according to nobody",
        "CC0",
        "2021",
        "invented",
    )
    assert (found.announced_accounts, found.announced_posts, found.notes) == (2, 3, ("invented",))
    assert found.files == {"a.csv": "", "b.csv": "00"}
    assert found.published == (
        PublishedFigure("n_posts", 3, "our own count", 1),
        PublishedFigure("first_account_created_on", "2017-08-30", "a newspaper"),
    )
    assert found.options == {"trace": "url", "holds": {"b.csv": "posts"}}


def test_a_finding_of_others_is_read_in_their_words(write):
    quote = about(write, MINIMAL + QUOTED + "breakout_step = 4\n").quoted[0]
    assert (quote.publisher, quote.published_on, quote.quote) == ("The platform", "2021-05-04", "We saw one office.")
    assert quote.breakout_step == 4


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("title = 1\n", "lacks 'platform'"),
        ("platform = 'x'\n", "lacks 'title'"),
        (MINIMAL + "licens = 'x'\n", "key 'licens' is unknown. Did you mean 'licence'?"),
        (MINIMAL + "zzz = 'x'\n", "key 'zzz' is unknown. Known keys: title, platform"),
        (MINIMAL + "[announced]\nacounts = 1\n", "[announced] key 'acounts' is unknown. Did you mean 'accounts'?"),
        (MINIMAL + "[announced]\naccounts = '1'\n", "'[announced] accounts' is '1', expected int"),
        (MINIMAL + "[announced]\naccounts = true\n", "'[announced] accounts' is True, expected int"),
        (MINIMAL + "is_synthetic = 'yes'\n", "'is_synthetic' is 'yes', expected bool"),
        (MINIMAL + "origin = 3\n", "'origin' is 3, expected str"),
        (MINIMAL + "notes = 'x'\n", "'notes' is 'x', expected list"),
        (MINIMAL + "notes = [1]\n", "'notes' is 1, expected str"),
        (MINIMAL + "files = ['a.csv']\n", "'files' is ['a.csv'], expected dict"),
        (MINIMAL + "[files]\n'a.csv' = { sha = 'x' }\n", "[files] a.csv: key 'sha' is unknown. Did you mean 'sha256'?"),
        (
            MINIMAL + "[files]\n'a.csv' = { holds = 'tweets' }\n",
            "[files] a.csv holds 'tweets', expected accounts or posts",
        ),
        (MINIMAL + "[files]\n'a.csv' = 1\n", "'[files] a.csv' is 1, expected dict"),
        (MINIMAL + "[files]\n'a.csv' = { sha256 = 1 }\n", "'[files] a.csv sha256' is 1, expected str"),
        (MINIMAL + "[[published]]\nname = 'n_posts'\nvalue = 1\n", "figure lacks 'source'"),
        (
            MINIMAL + "[[published]]\nname = 'x'\nvalue = [1]\nsource = 's'\n",
            "'[[published]] value' is [1], expected int",
        ),
        (MINIMAL + "[[published]]\nname = 1\nvalue = 1\nsource = 's'\n", "'[[published]] name' is 1, expected str"),
        (
            MINIMAL + "[[published]]\nname = 'x'\nvalue = 1\nsource = 's'\ntolerence = 1\n",
            "key 'tolerence' is unknown. Did you mean 'tolerance'?",
        ),
        (
            MINIMAL + "[[published]]\nname = 'x'\nvalue = 1\nsource = 's'\ntolerance = 'a bit'\n",
            "'[[published]] tolerance' is 'a bit', expected int or float",
        ),
        (MINIMAL + "published = [1]\n", "'[[published]]' is 1, expected dict"),
        (MINIMAL + "[sources]\nus = 1\n", "'[sources] us' is 1, expected str"),
        (MINIMAL + "quoted = ['x']\n", "'[[quoted]]' is 'x', expected dict"),
        (MINIMAL + QUOTED.replace("quote =", "quot ="), "[[quoted]] key 'quot' is unknown. Did you mean 'quote'?"),
        (MINIMAL + QUOTED.replace("We saw one office.", ""), "a [[quoted]] finding lacks 'quote'"),
        (MINIMAL + QUOTED.replace("'origin'", "'blame'"), "about is 'blame', expected presence, prevalence, origin"),
        (MINIMAL + QUOTED.replace("2021-05-04", "4 May 2021"), "published_on is '4 May 2021', expected a day"),
        (MINIMAL + QUOTED + "breakout_step = 7\n", "breakout_step is 7, expected 1 to 6"),
        (MINIMAL + QUOTED + "title = 3\n", "'[[quoted]] title' is 3, expected str"),
        ("title = \n", "is no valid TOML"),
        ("a = " + "[" * 3000, "is no valid TOML"),
        (MINIMAL + "[announced]\naccounts = -5\n", "[announced] accounts is -5; expected the number the platform gave"),
    ],
)
def test_what_is_wrong_in_a_dataset_toml_is_named(write, toml, message):
    with pytest.raises(SourceError, match=re.escape(message)):
        about(write, toml)


def test_an_unknown_option_is_named_with_the_nearest(write, users_csv):
    write("case/u.csv", users_csv({}))
    toml = write("case/dataset.toml", MINIMAL + "[options]\ntrac = 'url'\n")
    with pytest.raises(SourceError, match=r"\[options\] key 'trac' is unknown. Did you mean 'trace'"):
        load_release(toml.parent)


def test_without_a_files_table_every_table_beside_it_is_read(write, users_csv, tweets_csv):
    write("case/u.csv", users_csv({}))
    write("case/t.csv", tweets_csv({}))
    write("case/README.md", "not a table")
    release = load_release(write("case/dataset.toml", MINIMAL).parent)
    assert (release.accounts.height, release.posts.height) == (1, 1)
    assert release.about.files == {
        name: hashlib.sha256((Path(write("case/x", "").parent) / name).read_bytes()).hexdigest()
        for name in ("t.csv", "u.csv")
    }


def test_a_dataset_without_any_table_is_refused(write):
    with pytest.raises(SourceError, match=r"holds dataset\.toml but no table"):
        load_release(write("case/dataset.toml", MINIMAL).parent)


def test_a_file_that_is_not_the_announced_one_is_refused(write, users_csv):
    path = write("case/u.csv", users_csv({}))
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    write("case/dataset.toml", MINIMAL + f'[files]\n"u.csv" = "{"0" * 64}"\n')
    with pytest.raises(SourceError, match=f"u.csv is not the announced file: expected sha256 0+, found {found}"):
        load_release(path.parent)
    write("case/dataset.toml", MINIMAL + f'[files]\n"u.csv" = "{found}"\n')
    assert load_release(path.parent).about.files == {"u.csv": found}


def test_an_absent_file_is_refused_unless_the_toml_says_how_to_get_it(write, users_csv):
    write("case/u.csv", users_csv({}))
    toml = write("case/dataset.toml", MINIMAL + '[files]\n"u.csv" = ""\n"t.csv" = { holds = "posts" }\n')
    with pytest.raises(SourceError, match=r"lists t\.csv, which is not in .* obtain = "):
        load_release(toml.parent)
    write("case/dataset.toml", MINIMAL + 'obtain = "Ask the library."\n[files]\n"u.csv" = ""\n"t.csv" = {}\n')
    release = load_release(toml.parent)
    assert release.about.files["t.csv"] == "absent"
    assert release.decisions.select("action", "reason").row(0) == (
        "went on without t.csv",
        "it is listed but not here. Ask the library.",
    )


def test_no_file_at_all_says_how_to_obtain_them_and_where_they_may_lie(write):
    toml = write("case/dataset.toml", MINIMAL + 'obtain = "Ask the library."\n[files]\n"u.csv" = ""\n')
    with pytest.raises(
        SourceError, match=r"None of the 1 files .* Ask the library\. .*--files FOLDER.*WORKBENCH_FILES"
    ):
        load_release(toml.parent)


def test_files_may_lie_elsewhere(write, users_csv, monkeypatch):
    elsewhere = write("attic/u.csv", users_csv({})).parent
    case = write("case/dataset.toml", MINIMAL + 'obtain = "Ask."\n[files]\n"u.csv" = ""\n').parent
    assert load_release(case, files=elsewhere).accounts.height == 1
    monkeypatch.setenv("WORKBENCH_FILES", str(elsewhere))
    assert load_release(case).accounts.height == 1
    with pytest.raises(SourceError, match=r"cellar is no folder"):
        load_release(case, files=elsewhere / "cellar")


def test_a_listed_file_may_be_packed_otherwise(write, users_csv):
    write("case/u.csv", users_csv({}))
    toml = write("case/dataset.toml", MINIMAL + '[files]\n"u.zip" = "00"\n')
    release = load_release(toml.parent)
    assert "read u.csv in place of u.zip" in release.decisions["action"].to_list()
    assert list(release.about.files) == ["u.zip"]


@pytest.mark.parametrize(
    "name", ["../attic/u.csv", "/etc/passwd", "a/../../u.csv", "C:\\u.csv", "\\\\host\\u.csv", " "]
)
def test_a_dataset_lists_no_file_outside_its_folder(write, users_csv, name):
    write("attic/u.csv", users_csv({}))
    toml = write("case/dataset.toml", MINIMAL + f"[files]\n'{name}' = {{ holds = 'accounts' }}\n")
    with pytest.raises(SourceError, match=r"leads out of the dataset's folder. Write the file's name alone"):
        load_release(toml.parent)


@pytest.mark.parametrize(("value", "tolerance"), [("nan", "0"), ("inf", "0"), ("3", "inf"), ("3", "nan"), ("3", "-1")])
def test_a_figure_is_a_number_and_its_tolerance_too(write, users_csv, value, tolerance):
    write("case/u.csv", users_csv({}))
    figure = f"[[published]]\nname = 'n_posts'\nvalue = {value}\ntolerance = {tolerance}\nsource = 'x'\n"
    toml = write("case/dataset.toml", MINIMAL + figure)
    with pytest.raises(SourceError, match=r"expected a number, 0 or more. Correct it"):
        load_release(toml.parent)


def test_the_labels_a_human_saves_beside_a_dataset_are_no_table_of_it(write, users_csv):
    users = write("case/users.csv", users_csv({}))
    write("case/narrative_labels.csv", "label,translation,fingerprints\nBridge,,a b\n")
    assert list(load_release(users.parent).about.files) == ["users.csv"]


def test_a_name_no_file_system_takes_is_explained(tmp_path):
    with pytest.raises(SourceError, match=r"cannot be opened: File name too long. Check the path"):
        load_release(tmp_path / ("x" * 5_000))


def readme() -> str:
    return (DATASETS / "README.md").read_text(encoding="utf-8")


def test_the_readme_documents_every_key_and_no_other():
    documented = set(
        re.findall(r"^\| `([^`]+)` \|", readme().split("## Every key")[1].split("## Figures")[0], flags=re.MULTILINE)
    )
    keys = {
        *dataset.KEYS,
        *(f"announced.{key}" for key in dataset.ANNOUNCED_KEYS),
        *(f"files.{key}" for key in dataset.FILE_KEYS),
        *(f"published.{key}" for key in dataset.PUBLISHED_KEYS),
        *(f"quoted.{key}" for key in dataset.QUOTED_KEYS),
        *(f"options.{key}" for module in SOURCES.values() for key in module.OPTIONS),
    }
    assert documented == keys


def test_the_readme_documents_every_figure_as_the_code_knows_it():
    documented = re.findall(
        r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", readme().split("## Figures")[1], flags=re.MULTILINE
    )
    assert [(name, needs.strip(), meaning.strip()) for name, needs, meaning in documented] == list_figures().rows()


def test_the_readmes_examples_are_valid(write, users_csv):
    examples = re.findall(r"```toml\n(.*?)```", readme(), flags=re.DOTALL)
    assert len(examples[0].strip().splitlines()) == 5
    for number, example in enumerate(examples):
        assert about(write, example).title, number


@pytest.mark.parametrize("toml", sorted(DATASETS.glob("*/dataset.toml")), ids=lambda path: path.parent.name)
def test_every_dataset_we_ship_is_valid(toml):
    found = read_about(toml)
    assert found.title
    tomllib.loads(toml.read_text(encoding="utf-8"))


def test_every_figure_published_of_hong_kong_is_one_we_can_compute():
    for figure in read_about(DATASETS / "china_082019" / "dataset.toml").published:
        assert find_figure(figure.name.partition(" in ")[0])[0] is not None, figure.name
