//! Which texts are filters, where the others break off, and what is left to Graph.

use proptest::prelude::*;

use super::*;
use crate::filter::parse::DEEPEST;

#[test]
fn what_the_readme_recommends_can_be_evaluated_here() {
    let cases = [
        ("startswith(displayName,'APP-')", "displayName"),
        ("startswith(displayName,'APP-') or startswith(displayName,'ROLE-')", "displayName"),
        ("displayName in ('Sales','Marketing')", "displayName"),
        ("securityEnabled eq true and mailEnabled eq false", "securityEnabled mailEnabled"),
        ("groupTypes/any(c:c eq 'Unified')", "groupTypes"),
        ("onPremisesSyncEnabled ne true", "onPremisesSyncEnabled"),
        ("onPremisesSyncEnabled eq null", "onPremisesSyncEnabled"),
        ("NOT groupTypes/any(c: c eq 'Unified') and securityEnabled eq true", "groupTypes securityEnabled"),
        ("not(startsWith(displayName,'SEC-'))", "displayName"),
        ("not displayName in ('a')", "displayName"),
        ("( ( mail Eq 'a' ) )\r\n", "mail"),
        ("createdDateTime ge 2024-01-01T00:00:00Z and createdDateTime lt 2025-01-01", "createdDateTime"),
        ("proxyAddresses/any(p:startswith(p,'smtp:') and endswith(p,'@contoso.com'))", "proxyAddresses"),
        ("proxyAddresses/any()", "proxyAddresses"),
        ("id in ('1','2') or ID eq '3'", "id"),
        ("membershipRule ne null and DISPLAYNAME eq 'O''Neil'", "membershipRule displayName"),
        ("extension_0A1B2C3D000040008000000000000000_n gt 5", "extension_0a1b2c3d000040008000000000000000_n"),
        ("extension_0a1b2c3d000040008000000000000000_d gt 2024-01-01", "extension_0a1b2c3d000040008000000000000000_d"),
        ("visibility eq 'Private' and isAssignableToRole ne true", "visibility isAssignableToRole"),
    ];
    for (text, properties) in cases {
        let filter = evaluable(text);
        assert_eq!(filter.properties().join(" "), properties, "{text}");
        assert_eq!(filter.text(), text);
    }
}

#[test]
fn what_is_odata_but_not_for_here_is_left_to_graph_with_the_reason() {
    let cases = [
        ("contains(displayName,'x')", "contains()"),
        ("startwith(displayName,'x')", "did you mean startswith"),
        ("startswith(tolower(displayName),'x')", "anything but a property"),
        ("tolower(displayName) eq 'x'", "anything but a property"),
        ("startswith(displayName,mail)", "anything but a property and a text"),
        ("startswith(displayName)", "anything but a property and a text"),
        ("startswith(securityEnabled,'x')", "no text"),
        ("hasMembersWithLicenseErrors eq true", "hasMembersWithLicenseErrors"),
        ("mail eq 'a' and isArchived eq false", "one object at a time"),
        ("nothing eq 'x'", "nothing"),
        ("onPremisesSyncEnabled eq Null", "write null"),
        ("groupTypes/all(c:c eq 'Unified')", "all()"),
        ("assignedLicenses/any(l:l/skuId eq 1)", "assignedLicenses"),
        ("proxyAddresses/any(p:p eq mail)", "two properties"),
        ("proxyAddresses/any(p:mail eq 'a')", "other than the variable"),
        ("proxyAddresses/any(p:proxyAddresses/any(q:q eq 'a'))", "any() inside any()"),
        ("displayName/any(c:c eq 'x')", "single value"),
        ("groupTypes eq 'Unified'", "groupTypes/any("),
        ("groupTypes eq null", "groupTypes/any("),
        ("groupTypes/$count eq 0", "$count"),
        ("owners/any(o:o/id eq 'x')", "owners"),
        ("displayName/x eq 'x'", "nested"),
        ("microsoft.graph.group/displayName eq 'x'", "nested"),
        ("displayName has Some.Type'Member'", "has"),
        ("1 add 2 eq 3", "arithmetic"),
        ("mailEnabled eq -(1)", "arithmetic"),
        ("not displayName eq 'x'", "with parentheses"),
        ("'x' eq displayName", "turn it round"),
        ("displayName eq mail", "two properties"),
        ("displayName eq 5", "in quotes"),
        ("displayName eq true", "in quotes"),
        ("securityEnabled eq 'true'", "true or false"),
        ("securityEnabled ge true", "no order"),
        ("mail ge null", "no order"),
        ("displayName gt 'a'", "order only Graph knows"),
        ("displayName ge 'a' and displayName le 'b'", "order only Graph knows"),
        ("not (mail lt 'x') or securityEnabled eq true", "order only Graph knows"),
        ("id le 'a'", "order only Graph knows"),
        ("proxyAddresses/any(p:p ge 'smtp:a')", "order only Graph knows"),
        ("extension_0a1b2c3d000040008000000000000000_x ge 'a'", "order only Graph knows"),
        ("createdDateTime ge '2024-01-01T00:00:00Z'", "without quotes"),
        ("createdDateTime ge 2024-01-01T00:00:00", "without Z"),
        ("id eq 0a1b2c3d-0000-4000-8000-00000000beef", "GUID"),
        ("id in (a1b2c3d4-0000-4000-8000-00000000beef)", "GUID"),
        ("createdDateTime ge duration'P1D'", "such a type"),
        ("createdDateTime ge now() sub duration'P1D'", "arithmetic"),
        ("createdDateTime ge 12:30", "time of day"),
        ("mail in proxyAddresses", "before anything but a list"),
        ("displayName in ['a','b']", "before anything but a list"),
        ("displayName eq @name", "@name"),
        ("NS.fn(a=1,b='x') eq 1", "anything but a property"),
        ("displayName eq 'a' eq true", "comparison of a comparison"),
        ("securityEnabled", "write securityEnabled eq true"),
        ("displayName", "no condition"),
        ("true", "no condition"),
    ];
    for (text, reason) in cases {
        let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let why = filter.why_not_here().unwrap_or_else(|| panic!("{text} is evaluated"));
        assert!(why.contains(reason), "{text}: {why}");
        assert!(filter.properties().is_empty(), "{text}");
    }
}

#[test]
fn what_is_no_filter_is_refused_at_the_character_where_it_breaks_off() {
    let cases = [
        ("", 1, "a property"),
        ("  ", 3, "a property"),
        ("displayName eq", 15, "a value"),
        ("displayName eq 'x", 16, "closing quote"),
        ("displayName eq 'O'Neil'", 19, "and, or, or the end of the filter"),
        ("eq 'x'", 1, "a property"),
        ("displayName eq and mail eq 'x'", 16, "a value"),
        ("displayName qe 'x'", 13, "did you mean eq?"),
        ("displayName = 'x'", 13, "did you mean eq?"),
        ("displayName != 'x'", 13, "did you mean ne?"),
        ("mail eq 'a' && mail eq 'b'", 13, "did you mean and?"),
        ("mail eq 'a' adn mail eq 'b'", 13, "did you mean and?"),
        ("!securityEnabled", 1, "did you mean not?"),
        ("displayName like 'x'", 13, "an operator"),
        ("displayName 'x'", 13, "an operator"),
        ("a b c", 3, "an operator"),
        ("mail eq 'a' x", 13, "the end of the filter"),
        ("mail eq 'a')", 12, "the end of the filter"),
        ("(mail eq 'a'", 13, "and, or, or a closing parenthesis"),
        ("(mail 'a')", 7, "an operator"),
        ("()", 2, "a property"),
        ("displayName in ()", 17, "a value"),
        ("displayName in ('a' 'b')", 21, "a comma"),
        ("displayName in ('a',)", 21, "a value"),
        ("startswith(displayName 'x')", 24, "a comma"),
        ("startswith(displayName,'x'", 27, "a comma"),
        ("groupTypes/", 12, "any"),
        ("groupTypes/any(c c eq 'x')", 18, "a colon"),
        ("groupTypes/any('x')", 16, "a variable"),
        ("groupTypes/all()", 16, "a variable"),
        ("displayName eq \"x\"", 16, "straight single quotes"),
        ("displayName eq ‘x’", 16, "straight single quotes"),
        ("startswith(displayName,%27x%27)", 24, "plain text"),
        ("displayName\u{a0}eq 'x'", 12, "an ordinary space"),
        ("$filter=displayName eq 'x'", 1, "without $filter="),
        ("createdDateTime ge 2024-02-30", 20, "a date-time"),
        ("mail eq 12abc", 9, "a number"),
        ("displayName in ['a'", 16, "closing bracket"),
        ("displayName eq 'Größe' oder mail eq 'x'", 24, "and, or"),
        ("mail eq 'a' # x", 13, "and, or"),
        ("mail eq ;", 9, "a value"),
    ];
    for (text, position, expected) in cases {
        let error = Filter::parse(text).expect_err(text);
        assert!(error.message.contains(expected), "{text}: {error:?}");
        assert_eq!(error.position, position, "{text}: {error:?}");
    }
}

#[test]
fn nesting_has_a_limit_that_a_small_stack_survives() {
    let nested =
        |open: &str, levels: usize, close: &str| format!("{}mail eq 'a'{}", open.repeat(levels), close.repeat(levels));
    let small = std::thread::Builder::new().stack_size(1024 * 1024);
    let thread = small.spawn(move || {
        evaluable(&nested("(", DEEPEST - 1, ")"));
        for (open, close) in [("(", ")"), ("not (", ")"), ("- ", ""), ("f(", ")"), ("x/any(c:", ")"), ("not ", "")] {
            let error = Filter::parse(&nested(open, 100_000, close)).unwrap_err();
            assert!(error.message.contains("nested"), "{error:?}");
            assert!(error.position <= DEEPEST * open.len() + 1, "{open}: {error:?}");
        }
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn a_filter_of_a_hundred_thousand_parts_is_long_and_not_deep() {
    evaluable(&vec!["mail eq 'a'"; 100_000].join(" or "));
    for link in ["eq", "add", "has", "in", "mul"] {
        let text = vec!["mail"; 100_000].join(&format!(" {link} "));
        assert!(Filter::parse(&text).unwrap().why_not_here().is_some());
    }
    assert!(Filter::parse(&"a/".repeat(100_000)).is_err());
    let why = Filter::parse(&"a".repeat(100_000)).unwrap();
    assert!(why.why_not_here().unwrap().len() < 200);
}

fn texts() -> impl Strategy<Value = String> {
    let pieces = [
        "displayName",
        "groupTypes",
        "/",
        "any",
        "(",
        ")",
        ":",
        ",",
        "c",
        "eq",
        "not",
        "and",
        "or",
        "in",
        "has",
        "'a'",
        "'",
        "null",
        "-",
        "5",
        "2024-01-01",
        "[",
        "]",
        "{",
        "\"",
        "=",
        " ",
        "startswith",
        "$count",
        "@",
        "$",
        "ü",
        "add",
        "has",
        "0a1b2c3d-0000-4000-8000-00000000beef",
        "duration",
        ".",
        "%",
        "\u{2019}",
    ];
    let soup =
        proptest::collection::vec(prop::sample::select(pieces.to_vec()), 0..20).prop_map(|pieces| pieces.concat());
    let spaced =
        proptest::collection::vec(prop::sample::select(pieces.to_vec()), 0..20).prop_map(|pieces| pieces.join(" "));
    prop_oneof![any::<String>(), "[ -~]{0,60}", soup, spaced]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_text_is_a_filter_or_breaks_off_within_itself(text in texts()) {
        match Filter::parse(&text) {
            Ok(filter) => {
                prop_assert_eq!(filter.text(), text.as_str());
                prop_assert_eq!(filter.properties().is_empty(), filter.why_not_here().is_some());
                if filter.why_not_here().is_none() {
                    filter.matches(|_| None);
                }
            }
            Err(error) => {
                prop_assert!((1..=text.chars().count() + 1).contains(&error.position), "{error:?}");
                prop_assert!(!error.message.is_empty());
            }
        }
    }
}
