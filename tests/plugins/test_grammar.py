"""The selection grammar: what is read, what is refused, and that the canonical text is one and
reads back.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobench.board.sections.sentences import short_names
from kobench.errors import UserError
from kobench.plugins.parameters import canonical, complete
from kobench.specs import Param
from kobench.util.grammar import Selection, parse, split
from kobench.util.values import same

PARAMS = {
    "hidden": Param(64, low=1, high=4096),
    "lr": Param(0.01, low=0.0, high=1.0),
    "preset": Param("fast", choices=("fast", "paper")),
    "layers": Param([32, 16]),
    "path": Param(""),
    "bias": Param(True),
    "anything": Param(None),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("grn", Selection("grn")),
        ("  grn ", Selection("grn")),
        ("grn:seed=3", Selection("grn", params={"seed": 3})),
        ("grn[seed=3]", Selection("grn", params={"seed": 3})),
        (
            "grn:a=1,b=2.5,c=true,d=word",
            Selection("grn", params={"a": 1, "b": 2.5, "c": True, "d": "word"}),
        ),
        ("m:a=1e-3, b = 2 ", Selection("m", params={"a": 0.001, "b": 2})),
        ("m:a=\"x,y\",b='p,q'", Selection("m", params={"a": "x,y", "b": "p,q"})),
        ("m:a=[1, 2],b=[[1,2],[3]]", Selection("m", params={"a": [1, 2], "b": [[1, 2], [3]]})),
        ("m[a=[1, 2],b=3]", Selection("m", params={"a": [1, 2], "b": 3})),
        ('m:a={x = 1, y = "u,v"}', Selection("m", params={"a": {"x": 1, "y": "u,v"}})),
        ('m:a="say \\"hi, you\\""', Selection("m", params={"a": 'say "hi, you"'})),
        ('t:path="a\\",b",seed=3', Selection("t", params={"path": 'a",b', "seed": 3})),
        ('m:a=["]", "[,"],b=1', Selection("m", params={"a": ["]", "[,"], "b": 1})),
        ("t:path=/data/it's.csv,b=1", Selection("t", params={"path": "/data/it's.csv", "b": 1})),
        ("t:path=/data/x[1].csv", Selection("t", params={"path": "/data/x[1].csv"})),
        ("t:path=a=b", Selection("t", params={"path": "a=b"})),
        ("t:when=2024-01-01", Selection("t", params={"when": "2024-01-01"})),
        ("t:a=inf,b=nan", Selection("t", params={"a": "inf", "b": "nan"})),
        ("my-dist/mlp", Selection("mlp", "my-dist")),
        ("My_Dist/mlp:path=/a/b", Selection("mlp", "My_Dist", {"path": "/a/b"})),
        ("file:my.py/mine", Selection("mine", "file:my.py")),
        ("file:my.py/mine:a=1", Selection("mine", "file:my.py", {"a": 1})),
        ('t:empty=""', Selection("t", params={"empty": ""})),
    ],
)
def test_parse_reads(text: str, expected: Selection) -> None:
    found = parse(text)
    assert found == expected
    assert same(dict(found.params), dict(expected.params))  # == takes True for 1


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "is not a name"),
        ("Grn", "'Grn' in selection"),
        ("a b", "'a b' in selection"),
        ("/mlp", "starts with '/'"),
        ("grn:", "has no value"),
        ("grn:seed", "'seed' in selection 'grn:seed' has no value"),
        ("grn:seed=", "has no value"),
        ("grn:seed=1,,b=2", "has no value"),
        ("grn:1a=2", "'1a' in selection"),
        ("grn:seed=1,seed=2", "'seed' is given twice"),
        ("grn[seed=1", "does not end with ']'"),
        ("grn:a=[1,2", "unclosed ']'"),
        ('grn:a="x,b=1', "unclosed '\"'"),
        ("grn:a=[x, y]", "'[x, y]' in selection"),
        ('grn:a="x"y', "is not TOML"),
        ("grn:a=" + "[" * 5000 + "]" * 5000, "is not TOML"),
    ],
)
def test_parse_refuses(text: str, part: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(text)
    assert part in str(caught.value)


def test_a_value_can_not_smuggle_in_a_second_key() -> None:
    assert parse("m:a=1\nb = 2").params == {"a": "1\nb = 2"}


def test_complete_fills_in_defaults_and_widens_whole_numbers() -> None:
    found = complete(parse("mlp:lr=1,hidden=8"), PARAMS)
    expected = {
        "hidden": 8,
        "lr": 1.0,
        "preset": "fast",
        "layers": [32, 16],
        "path": "",
        "bias": True,
        "anything": None,
    }
    assert same(found, expected)
    assert list(found) == list(PARAMS)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("mlp:hiden=8", "has no parameter 'hiden'; did you mean 'hidden'?"),
        ("mlp:zzz=8", "its parameters: anything, bias, hidden"),
        ("mlp:hidden=8.0", "hidden of predictor 'mlp' is 8.0; expected a whole number"),
        ("mlp:hidden=true", "hidden of predictor 'mlp' is true; expected a whole number"),
        ("mlp:lr=true", "lr of predictor 'mlp' is true; expected a number"),
        ("mlp:lr=inf", "lr of predictor 'mlp' is inf; expected a number"),
        ("mlp:bias=1", "bias of predictor 'mlp' is 1; expected true or false"),
        ("mlp:hidden=0", "expected at least 1"),
        ("mlp:lr=1.5", "expected at most 1.0"),
        ("mlp:preset=papre", "preset of predictor 'mlp' is papre; expected one of fast, paper"),
        ("mlp:path=7", 'quote it: "7"'),
        ("mlp:layers=3", "expected a list"),
        ("dist/mlp:layers=3", "layers of predictor 'dist/mlp'"),
    ],
)
def test_complete_refuses(text: str, part: str) -> None:
    with pytest.raises(UserError) as caught:
        complete(parse(text), PARAMS)
    assert part in str(caught.value)


def test_a_default_of_none_takes_anything() -> None:
    for value, expected in [("1", 1), ("true", True), ("word", "word"), ("[1]", [1])]:
        assert same(complete(parse(f"mlp:anything={value}"), PARAMS)["anything"], expected)


def test_choices_tell_types_apart() -> None:
    params = {"x": Param(None, choices=(1, "a"))}
    assert complete(parse("m:x=1"), params) == {"x": 1}
    with pytest.raises(UserError, match="expected one of 1, a"):
        complete(parse("m:x=true"), params)


def test_canonical_leaves_out_defaults_and_sorts() -> None:
    for text in (
        "mlp",
        "mlp:hidden=64",
        "mlp:lr=0.01,bias=true",
        'mlp[path=""]',
        "mlp:layers=[32,16]",
    ):
        assert canonical("mlp", complete(parse(text), PARAMS), PARAMS) == "mlp"
    assert (
        canonical("mlp", complete(parse("mlp:lr=1,hidden=8"), PARAMS), PARAMS)
        == "mlp:hidden=8,lr=1.0"
    )
    assert (
        canonical("mlp", complete(parse("mlp:path=/a/b.csv"), PARAMS), PARAMS)
        == "mlp:path=/a/b.csv"
    )
    assert canonical("mlp", complete(parse('mlp:path="a,b"'), PARAMS), PARAMS) == 'mlp:path="a,b"'
    assert canonical("mlp", complete(parse('mlp:path="true"'), PARAMS), PARAMS) == 'mlp:path="true"'
    assert canonical("mlp", complete(parse("mlp:anything=1"), PARAMS), PARAMS) != canonical(
        "mlp", complete(parse("mlp:anything=true"), PARAMS), PARAMS
    )


def test_equal_numbers_have_one_text() -> None:
    """0 with a sign is 0, also in lists, and a whole number where a fraction is expected."""
    for key, texts in {
        "lr": ("0", "0.0", "-0.0", "-0e0"),
        "anything": ("0.0", "-0.0"),
        "layers": ("[0.0, 1]", "[-0.0, 1]"),
    }.items():
        found = {canonical("mlp", complete(parse(f"mlp:{key}={t}"), PARAMS), PARAMS) for t in texts}
        assert len(found) == 1, found
        assert "-" not in found.pop()


plain = st.recursive(
    st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
given_params = st.fixed_dictionaries(
    {},
    optional={
        "hidden": st.integers(1, 4096),
        "lr": st.floats(0, 1),
        "preset": st.sampled_from(["fast", "paper"]),
        "layers": st.lists(st.integers() | st.text(), max_size=4),
        "path": st.text(),
        "bias": st.booleans(),
        "anything": plain,
    },
)


@given(given_params)
def test_canonical_reads_back(params: dict[str, object]) -> None:
    full = complete(Selection("mlp", params=params), PARAMS)
    text = canonical("mlp", full, PARAMS)
    assert same(complete(parse(text), PARAMS), full)
    assert same(
        complete(parse(text.replace(":", "[", 1) + "]" if ":" in text else text), PARAMS), full
    )
    assert canonical("mlp", complete(parse(text), PARAMS), PARAMS) == text


@given(given_params, given_params)
def test_equal_texts_mean_equal_parameters(
    one: dict[str, object], other: dict[str, object]
) -> None:
    first, second = (complete(Selection("mlp", params=given), PARAMS) for given in (one, other))
    texts_agree = canonical("mlp", first, PARAMS) == canonical("mlp", second, PARAMS)
    assert texts_agree == same(first, second)


@given(st.text(alphabet=st.sampled_from(list("ab:=,[]{}\"'\\/ 1.\n-é")), max_size=20))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        selection = parse(text)
    except UserError:
        return
    assert parse(f"{selection.full_name}") == Selection(selection.name, selection.distribution)


def test_what_canonical_writes_for_an_escaped_quote_is_cut_where_it_is_read():
    """By the board, too, which names datasets by the items of their selections."""
    spec = {"path": Param(""), "seed": Param(0)}
    texts = [canonical("table", {"path": 'a",b', "seed": seed}, spec) for seed in (3, 4)]
    assert texts[0] == 'table:path="a\\",b",seed=3'
    assert complete(parse(texts[0]), spec) == {"path": 'a",b', "seed": 3}
    assert list(split(texts[0])[2]) == ['path="a\\",b"', "seed=3"]
    assert short_names(texts) == {texts[0]: "table seed=3", texts[1]: "table seed=4"}
