//! A registered device. It exists as a member of groups only.

use serde_json::json;

use super::deed::Deed;
use super::field::Field;
use super::property::{Property, Shape};
use super::source::Source;
use super::{Deletion, IdForm, Table, never_drawn};

pub(super) static TABLE: Table = Table {
    name: "Device",
    odata_type: "#microsoft.graph.device",
    collection: "devices",
    live: &["devices"],
    deleted: None,
    ids: IdForm::Guid,
    mirrors: None,
    read: &["Device.Read.All", "Directory.Read.All"],
    served: None,
    properties: &[Property::new("id", Shape::Text, "eq"), Property::new("displayName", Shape::Text, "eq startswith")],
    extensions: &[],
    defaults: &["id", "displayName"],
    other_key: None,
    derived: |_, _| None,
    field,
    fresh: |_, number| vec![("displayName", json!(format!("New Device {number}")))],
    deletion: |_, _| Deletion::Permanent,
    deeds: &[],
    amounts_to: |_| Deed::Updated,
    draw: never_drawn,
};

fn field(_: &Source, number: u32, property: &str) -> Field {
    match property {
        "displayName" => Field::set(format!("Device {number}")),
        _ => Field::Never,
    }
}
