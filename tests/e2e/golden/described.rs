//! The Describe JSON, spread over lines.

use serde_json::Value;

use super::assert_golden;
use crate::world::connector;

#[test]
fn describe_says_what_it_said() {
    let described: Value = serde_json::from_str(&connector().describe().unwrap()).unwrap();
    assert_golden("describe.json", &(serde_json::to_string_pretty(&described).unwrap() + "\n"));
}
