//! The harness keeps whatever types a connector has: their names stand in the table of its truth and nowhere else.
//!
//! The simulator is Microsoft Graph and knows its own kinds; it is not part of this. Tests may name what they like.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::layering::sources;
use crate::world::connector;

/// Names of object types and of the attributes that hold an edge's ends, from the connector.
fn names() -> BTreeSet<String> {
    let about: Value = serde_json::from_str(&connector().describe().unwrap()).unwrap();
    let mut names = BTreeSet::new();
    for object_type in about["ObjectTypes"].as_array().unwrap() {
        let ends = object_type["Ends"].as_array().into_iter().flatten();
        let of_ends = ends.flat_map(|end| [&end["Attribute"], &end["TypeAttribute"]]);
        names.extend(of_ends.chain([&object_type["Name"]]).filter_map(Value::as_str).map(str::to_owned));
    }
    names
}

#[test]
fn harness_names_an_object_type_in_the_table_of_its_truth_and_nowhere_else() {
    let names = names();
    assert!(names.len() > 5 && names.contains("User") && names.contains("memberType"), "{names:?}");
    let quoted =
        |code: &str| names.iter().filter(|name| code.contains(&format!("\"{name}\""))).cloned().collect::<Vec<_>>();
    let (mut of_the_table, mut files) = (Vec::new(), 0);
    for (name, code) in sources("host-harness/src") {
        let parts: Vec<&str> = name.split(['/', '.']).collect();
        if parts.contains(&"simulator") || parts.contains(&"tests") || parts.contains(&"claims") {
            continue;
        }
        let found = quoted(&code);
        if name == "truth/types.rs" {
            of_the_table = found;
        } else {
            assert!(found.is_empty(), "host-harness/src/{name} names {found:?}; what it needs of them, Describe says");
            files += 1;
        }
    }
    assert!(files > 40, "{files} files");
    // The table has a row for each type, or what a type delivers is compared with nothing.
    for object_type in
        serde_json::from_str::<Value>(&connector().describe().unwrap()).unwrap()["ObjectTypes"].as_array().unwrap()
    {
        let name = object_type["Name"].as_str().unwrap();
        assert!(of_the_table.iter().any(|it| it == name), "{name} has no row in host-harness/src/truth/types.rs");
    }
}
