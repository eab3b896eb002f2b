//! ConfigJson's keys, each once: name, type, limits, default, and what it means.
//!
//! The type in a line carries the rest: `Whole<1, 999, 999>` is a whole number from 1 to 999, 999 when absent. What
//! binds two keys to each other stands at the end, as JSON Schema, and once more in `checked.rs`, in words for
//! operators.

use schemars::Schema;
use serde_json::{Value, json};

use super::by_type;
use super::ca_file::CaFile;
use super::checked::{ExternalId, FullImportStrategy, MembershipMode, OnDeltaExpired};
use super::choice::{Choice, Words};
use super::cloud::Cloud;
use super::document::document;
use super::filter::Filter;
use super::number::{DeleteLimit, RetryBase, Whole};
use super::one_cloud;
use super::origin::{Origin, Proxy};
use super::scope::Scope;
use super::tenant::Tenant;
use crate::types::{FOLLOWED, Preset};

document! {
    /// What to import, and how.
    #[schemars(title = "ConfigJson", transform = by_type::describe, transform = refuse_nothing, transform = bind_delta_memberships, transform = one_cloud::bind)]
    RawConfig
    required {
        /// The tenant: its directory (tenant) id, or one of its verified domain names. `common`, `organizations` and
        /// `consumers` stand for no particular tenant and are refused.
        "TenantId" => tenant_id: Tenant,
    }
    optional {
        /// OData filter that selects groups, as Graph takes it on `GET /groups`. null: all groups. A text that is no
        /// OData is refused with the place where it breaks off, which a JSON Schema cannot tell. Where the connector
        /// cannot evaluate a filter itself (functions other than startswith and endswith, properties that no feed
        /// carries, gt, ge, lt and le of texts), groups are read as a full list on every run.
        "GroupSelectionFilter" => group_selection_filter: Option<Filter>,
        /// Objects per page of list and member reads. Graph chooses the page size of delta queries itself.
        "PageSize" => page_size: Whole<1, 999, 999>,
        /// Which object types are imported whose own switch is not written. `Basic`: users, groups and memberships.
        /// `Governance` adds what tells who has access and who administers, `Posture` how the tenant is protected and
        /// used, `Wide` nearly everything; `Describe` lists the object types of each. A switch that is written wins.
        "Preset" => preset: Choice<Preset>,
        /// Which property becomes ExternalId of users. Groups always have their id.
        "ExternalIdAttribute" => external_id_attribute: Choice<ExternalId>,
        /// How memberships follow changes. `Recompute`: the members of all selected groups are read on every run.
        /// `Delta`: from the change feed of groups; it needs ImportUsers, ImportGroups and ImportMemberships, and a
        /// GroupSelectionFilter that the connector can evaluate itself, or none.
        "MembershipMode" => membership_mode: Choice<MembershipMode>,
        /// Days after which a delta import re-reads everything once, which mends whatever the change feeds left out; 0:
        /// never.
        "FullReconcileDays" => full_reconcile_days: Whole<0, 90, 7>,
        /// What happens when Graph no longer accepts a delta link. `Fail`: the import ends and asks for a full one.
        /// `FullSync`: that object type is read in full by itself, in the same import.
        "OnDeltaExpired" => on_delta_expired: Choice<OnDeltaExpired>,
        /// How the first import reads users and groups. `DeltaWalk`: it walks the change feed from its beginning, a
        /// page of some 200 after the other. `Snapshot`: it reads lists of 999 side by side, then what changed
        /// meanwhile; the next import reads everything once more. Groups are walked all the same with a filter or
        /// MembershipMode Delta.
        "FullImportStrategy" => full_import_strategy: Choice<FullImportStrategy>,
        /// Most deletes that a delta import delivers of one object type. Beyond them it delivers none, keeps that
        /// type's watermark, and says what it would have deleted. null: no limit.
        "MaxDeletes" => max_deletes: Option<DeleteLimit>,
        /// The Microsoft cloud the tenant lives in: it decides token service, Graph address and scope. Each of the
        /// three may be replaced alone, but not by that of another cloud.
        "Cloud" => cloud: Choice<Cloud>,
        /// Origin of Microsoft Graph, without a path. null: that of Cloud. http only for 127.0.0.1, `[::1]` and
        /// localhost.
        "GraphEndpoint" => graph_endpoint: Option<Origin>,
        /// Origin of the token service, without a path. null: that of Cloud. http only for 127.0.0.1, `[::1]` and
        /// localhost.
        "AuthorityHost" => authority_host: Option<Origin>,
        /// Scope of the token, ending in `/.default`. null: that of Cloud, also beside another GraphEndpoint.
        "GraphScope" => graph_scope: Option<Scope>,
        /// HTTP proxy, without user name and password. null: the system's settings.
        "Proxy" => proxy: Option<Proxy>,
        /// Absolute path of a PEM file with certificates to trust beside the system's own. null: none.
        "CaFile" => ca_file: Option<CaFile>,
        /// How often a request that was throttled or failed in passing is repeated.
        "MaxRetries" => max_retries: Whole<0, 20, 5>,
        /// Seconds to wait before a repetition, times the number of attempts, where Graph names no time.
        "RetryBaseSeconds" => retry_base_seconds: RetryBase,
        /// Requests to Graph under way at once, at most; a `$batch` of twenty reads is one. After a 429 all of them
        /// wait together.
        "MaxConcurrency" => max_concurrency: Whole<1, 64, 8>,
    }
}

/// `Preset`.
impl Words for Preset {
    const WORDS: &'static [(&'static str, Preset)] = &[
        ("Basic", Preset::Basic),
        ("Governance", Preset::Governance),
        ("Posture", Preset::Posture),
        ("Wide", Preset::Wide),
    ];
}

/// `ExternalIdAttribute`.
impl Words for ExternalId {
    const WORDS: &'static [(&'static str, ExternalId)] =
        &[("id", ExternalId::Id), ("userPrincipalName", ExternalId::UserPrincipalName)];
}

/// `MembershipMode`.
impl Words for MembershipMode {
    const WORDS: &'static [(&'static str, MembershipMode)] =
        &[("Recompute", MembershipMode::Recompute), ("Delta", MembershipMode::Delta)];
}

/// `OnDeltaExpired`.
impl Words for OnDeltaExpired {
    const WORDS: &'static [(&'static str, OnDeltaExpired)] =
        &[("Fail", OnDeltaExpired::Fail), ("FullSync", OnDeltaExpired::FullSync)];
}

/// `FullImportStrategy`.
impl Words for FullImportStrategy {
    const WORDS: &'static [(&'static str, FullImportStrategy)] =
        &[("DeltaWalk", FullImportStrategy::DeltaWalk), ("Snapshot", FullImportStrategy::Snapshot)];
}

/// Says in the schema that not everything may be switched off: every type off, or left off by its default.
fn refuse_nothing(schema: &mut Schema) {
    let off: serde_json::Map<String, Value> =
        by_type::switches().iter().map(|switch| (switch.key.to_owned(), json!({ "const": false }))).collect();
    let on_by_default: Vec<&str> =
        by_type::switches().iter().filter(|switch| !switch.depends_on_preset()).map(|switch| switch.key).collect();
    schema.insert("not".to_owned(), json!({ "properties": off, "required": on_by_default }));
}

/// Says in the schema which switches `MembershipMode` "Delta" needs: on, or on by their default.
fn bind_delta_memberships(schema: &mut Schema) {
    let on: serde_json::Map<String, Value> =
        FOLLOWED.iter().map(|object_type| (object_type.switch.key.to_owned(), json!({ "const": true }))).collect();
    let to_write: Vec<&str> = FOLLOWED.iter().filter(|o| o.switch.depends_on_preset()).map(|o| o.switch.key).collect();
    let delta = json!({ "properties": { "MembershipMode": { "const": "Delta" } }, "required": ["MembershipMode"] });
    schema.insert("if".to_owned(), delta);
    schema.insert("then".to_owned(), json!({ "properties": on, "required": to_write }));
}
