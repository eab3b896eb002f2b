//! What the simulated tenant is like: its size, and every behaviour of Graph that can be switched.
//!
//! The default is not gentle on purpose: an importer that passes against [`World::gentle`] alone has not met Graph.
//! What Microsoft documents is on by default; what only users report is off and switchable.

use serde::{Deserialize, Serialize};

use super::change::script::ChangesDuring;
use super::fault::{Fault, Refusal};
use super::kinds::{Deletion, Kind};
use super::odata::TextOrder;
use super::permissions::Permissions;
use super::throttle::Throttling;
use super::workload::{Licence, Licences, Limits};

/// The configuration of one simulated tenant and its service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct World {
    /// Everything that looks random comes from here: same seed, same tenant, same behaviour.
    pub seed: u64,
    /// Live users before the first change.
    pub users: u32,
    /// Users that lie in the recycle bin from the start.
    pub deleted_users: u32,
    /// Live groups before the first change.
    pub groups: u32,
    /// Groups that lie in the recycle bin from the start.
    pub deleted_groups: u32,
    /// About how many memberships there are in all; sizes are heavy-tailed.
    pub edges: u64,
    /// Every group has so many members instead, as far as there are users.
    pub group_size: Option<u32>,
    /// One group gets exactly this many members (filled up with devices beyond the number of users).
    pub large_group: Option<u32>,
    /// Devices that can be members.
    pub devices: u32,
    /// Service principals that can be members.
    pub service_principals: u32,
    /// Service principals that are members of no group.
    pub other_service_principals: u32,
    /// Service principals that lie in the recycle bin from the start.
    pub deleted_service_principals: u32,
    /// One service principal in five is an agent identity, and rows say so in `@odata.type`.
    pub agent_identities: bool,
    /// Mail contacts that can be members.
    pub contacts: u32,
    /// Groups in groups, with cycles.
    pub nested_groups: bool,
    /// Whether one Microsoft 365 group in twenty hides its membership.
    pub hidden_membership_groups: bool,
    /// The verified domain; user principal names end with it.
    pub domain: String,
    /// The directory's GUID; from the seed when absent.
    pub tenant_id: Option<String>,
    /// The application's GUID; from the seed when absent.
    pub client_id: Option<String>,
    /// The application's made-up secret. The default needs percent-encoding, as real ones do.
    pub client_secret: String,
    /// How the token endpoint behaves.
    pub sign_in: SignIn,
    /// What the application may read.
    pub permissions: Permissions,
    /// What the tenant has paid for.
    pub licences: Licences,
    /// Directory roles and who holds them.
    pub roles: Roles,
    /// What happens in the tenant and is kept as a log.
    pub events: Events,
    /// How delta queries behave.
    pub delta: Delta,
    /// How lists and member reads behave.
    pub lists: Lists,
    /// What deleting a security group does.
    pub security_group_deletion: Deletion,
    /// Whether `$batch` answers its items in another order than they were asked.
    pub shuffled_batches: bool,
    /// Limits of services that do not share the directory's.
    pub limits: Limits,
    /// Throttling by resource units; none when absent.
    pub throttling: Option<Throttling>,
    /// Milliseconds every answer of Graph takes at least; a batch one more for each item.
    pub latency_ms: u64,
    /// Compress answers for clients that accept gzip.
    pub gzip: bool,
    /// Serve HTTPS with a certificate of a generated authority.
    pub https: bool,
    /// Speak HTTP/2 over HTTPS with clients that offer it, as Graph does; otherwise HTTP/1.1.
    pub http2: bool,
    /// Where the simulated clock starts, in seconds since 1970; now when absent.
    pub clock_start: Option<u64>,
    /// How much of each exchange is kept.
    pub journal: JournalMode,
    /// How many exchanges are kept at most; the oldest go first.
    pub journal_capacity: usize,
    /// Changes that happen while the first requests are under way.
    pub changes_during: Vec<ChangesDuring>,
    /// Faults that are armed from the start.
    pub faults: Vec<Fault>,
}

/// The token endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct SignIn {
    /// Seconds a token lives; 60 to 90 minutes by chance when absent.
    pub token_seconds: Option<u64>,
    /// Tokens carry no roles (consent was never granted): signing in works and every Graph call is 403.
    pub without_roles: bool,
    /// The secret is right but has expired (AADSTS7000222).
    pub secret_expired: bool,
    /// Days after the start of the clock until the secret ends, as the app registration shows it; it goes on working.
    pub secret_days: u32,
    /// The app registration lies in another directory, as that of a multi-tenant application does.
    pub registered_elsewhere: bool,
    /// Text at the end of every access token: a canary to look for where no token may be.
    pub token_ending: String,
    /// Certificates registered on the application, as PEM.
    pub certificates: Vec<String>,
    /// Tokens of another issuer that the application's federated credential trusts.
    pub federated_tokens: Vec<String>,
    /// The managed identity of the resource that the client runs on; none when absent.
    pub managed_identity: Option<ManagedIdentity>,
}

/// A resource's identity, asked for as on App Service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ManagedIdentity {
    /// What `X-IDENTITY-HEADER` must hold.
    pub header: String,
    /// Client ids of user-assigned identities.
    #[serde(default)]
    pub client_ids: Vec<String>,
    /// Directories that its tokens are for, one after another, the last one for all that follow; this tenant when
    /// empty.
    #[serde(default)]
    pub directories: Vec<String>,
    /// Its tokens are texts that a client cannot look into.
    #[serde(default)]
    pub opaque_tokens: bool,
}

/// Directory roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Roles {
    /// How many roles there are; every fourth is a custom one.
    pub definitions: u32,
    /// How many assignments there are.
    pub assignments: u32,
    /// Rows a page of roles, assignments or instances holds.
    pub page: u32,
    /// `$top` is refused instead of ignored.
    pub top_refused: bool,
    /// A `$select` inside `$expand` is refused.
    pub nested_select_refused: bool,
    /// Schedule instances repeat the assignments of groups for what their members inherit.
    pub inherited_instances: bool,
}

impl Default for Roles {
    fn default() -> Roles {
        Roles {
            definitions: 0,
            assignments: 0,
            page: 100,
            top_refused: false,
            nested_select_refused: false,
            inherited_instances: true,
        }
    }
}

/// Logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Events {
    /// Sign-ins a day, at every hour alike; they are computed, not stored.
    pub sign_ins_per_day: u64,
    /// This share of all events, in hundredths, becomes visible late.
    pub late_percent: u32,
    /// How late, in seconds.
    pub late_seconds: u32,
    /// Days that events are kept.
    pub kept_days: u32,
    /// A filter that starts earlier than so many days ago is refused.
    pub refused_before_days: u32,
}

impl Default for Events {
    fn default() -> Events {
        Events { sign_ins_per_day: 0, late_percent: 0, late_seconds: 900, kept_days: 30, refused_before_days: 30 }
    }
}

/// Delta queries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Delta {
    /// Rows a page of users holds at most.
    pub user_page: u32,
    /// Rows a page of groups holds at most.
    pub group_page: u32,
    /// Rows a page of service principals holds at most.
    pub service_principal_page: u32,
    /// Pages of groups hold 1 to `group_page` rows, as Graph's do, instead of exactly that many.
    pub varying_group_pages: bool,
    /// Some pages are empty and carry a next link.
    pub empty_pages: bool,
    /// Some rows appear again on a later page.
    pub duplicates: bool,
    /// Members a group row carries at most; the rest follows in further rows of the same group.
    pub member_slice: u32,
    /// The first round also shows removed objects.
    pub removed_in_first_round: bool,
    /// Later rounds repeat up to this many changes that were already delivered.
    pub replayed_changes: u32,
    /// The first round lists members that are soft-deleted.
    pub deleted_members_in_first_round: bool,
    /// Which member types `members@delta` lists.
    pub member_types: MemberTypes,
    /// A purged member shows as a removed entry of its groups.
    pub purge_shows_in_groups: bool,
    /// A restored object brings its memberships as entries of its groups.
    pub restore_shows_in_groups: bool,
    /// A later round lists every coming and going of a member, in the order it happened, up to the moment its page is
    /// asked for; otherwise it lists each member once, as it stands then.
    pub membership_history: bool,
    /// A row for a membership change alone carries `id` and `members@delta` only.
    pub id_only_membership_rows: bool,
    /// Second and later slices of a group carry `id` and `members@delta` only.
    pub id_only_slices: bool,
    /// Rows of later rounds carry changed properties only, as with `Prefer: return=minimal`.
    pub lean_rows: bool,
    /// A restored object's row carries only what changed since, which may be nothing but `id`.
    pub lean_restores: bool,
    /// A collection without entries is left out of rows; otherwise it comes as an empty array.
    pub empty_collections_absent: bool,
    /// Days until a delta link is refused; never when absent.
    pub link_days: Option<u32>,
    /// Seconds until a next link is refused; never when absent.
    pub page_seconds: Option<u64>,
    /// How an aged delta link is refused.
    pub refusal: Refusal,
    /// Tokens hold plus signs, which turn into spaces when a link is decoded as a form and written anew.
    pub plus_in_tokens: bool,
}

/// Lists, single objects and member reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Lists {
    /// Some pages hold fewer rows than asked for, and still carry a next link.
    pub short_pages: bool,
    /// Reads do not see the newest this many changes; delta queries do. What `settle` fixed is always seen.
    pub lag_changes: u32,
    /// Each read lags by 0 to `lag_changes` changes, drawn from the seed, instead of by exactly that many.
    pub varying_lag: bool,
    /// Seconds until a next link is refused; never when absent.
    pub page_seconds: Option<u64>,
    /// Member reads leave out service principals unless asked as an advanced query.
    pub hide_service_principals: bool,
    /// How texts are ordered, by filters and by `$orderby`.
    pub text_order: TextOrder,
    /// The greatest height of a filter expression; none when absent.
    pub filter_height: Option<u32>,
}

/// Which member types a feed lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MemberTypes {
    /// All of them.
    All,
    /// Users and groups; devices, service principals and contacts are left out.
    UsersAndGroups,
    /// These.
    Only(Vec<Kind>),
}

/// How much of each exchange the journal keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum JournalMode {
    /// Nothing.
    Off,
    /// Method, URL, status, counts.
    Summary,
    /// Also request and response bodies.
    Full,
}

impl World {
    /// A tenant where nothing unusual happens: full pages, no duplicates, no recycle bin, users as members only.
    pub fn gentle() -> World {
        World {
            deleted_users: 0,
            deleted_groups: 0,
            large_group: None,
            devices: 0,
            service_principals: 0,
            contacts: 0,
            limits: Limits::none(),
            nested_groups: false,
            hidden_membership_groups: false,
            shuffled_batches: false,
            delta: Delta {
                varying_group_pages: false,
                empty_pages: false,
                duplicates: false,
                member_slice: u32::MAX,
                removed_in_first_round: false,
                replayed_changes: 0,
                plus_in_tokens: false,
                ..Delta::default()
            },
            lists: Lists { short_pages: false, ..Lists::default() },
            ..World::default()
        }
    }
}

impl Default for World {
    fn default() -> World {
        World {
            seed: 1,
            users: 300,
            deleted_users: 6,
            groups: 60,
            deleted_groups: 3,
            edges: 3_500,
            group_size: None,
            large_group: Some(1_200),
            devices: 40,
            service_principals: 12,
            other_service_principals: 0,
            deleted_service_principals: 0,
            agent_identities: false,
            contacts: 10,
            nested_groups: true,
            hidden_membership_groups: true,
            domain: "contoso.onmicrosoft.com".into(),
            tenant_id: None,
            client_id: None,
            client_secret: "sim~8Q+made/up=Contoso&secret".into(),
            sign_in: SignIn::default(),
            permissions: Permissions::default(),
            licences: [Licence::P1, Licence::P2].into(),
            roles: Roles::default(),
            events: Events::default(),
            delta: Delta::default(),
            lists: Lists::default(),
            security_group_deletion: Deletion::Soft,
            shuffled_batches: true,
            limits: Limits::default(),
            throttling: None,
            latency_ms: 0,
            gzip: true,
            https: false,
            http2: true,
            clock_start: None,
            journal: JournalMode::Summary,
            journal_capacity: 200_000,
            changes_during: Vec::new(),
            faults: Vec::new(),
        }
    }
}

impl Default for SignIn {
    fn default() -> SignIn {
        SignIn {
            token_seconds: None,
            without_roles: false,
            secret_expired: false,
            token_ending: String::new(),
            certificates: Vec::new(),
            federated_tokens: Vec::new(),
            managed_identity: None,
            secret_days: 180,
            registered_elsewhere: false,
        }
    }
}

impl Default for Delta {
    fn default() -> Delta {
        Delta {
            user_page: 200,
            group_page: 200,
            service_principal_page: 200,
            varying_group_pages: true,
            empty_pages: true,
            duplicates: true,
            member_slice: 500,
            removed_in_first_round: true,
            replayed_changes: 3,
            deleted_members_in_first_round: false,
            member_types: MemberTypes::All,
            purge_shows_in_groups: true,
            restore_shows_in_groups: false,
            membership_history: false,
            id_only_membership_rows: false,
            id_only_slices: false,
            lean_rows: false,
            lean_restores: false,
            empty_collections_absent: false,
            link_days: Some(7),
            page_seconds: None,
            refusal: Refusal::OlderThan30Days,
            plus_in_tokens: true,
        }
    }
}

impl Default for Lists {
    fn default() -> Lists {
        Lists {
            short_pages: true,
            lag_changes: 0,
            varying_lag: false,
            page_seconds: None,
            hide_service_principals: true,
            text_order: TextOrder::OrdinalLower,
            filter_height: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_name_just_what_differs() {
        let world: World = serde_json::from_str(r#"{"users": 5, "delta": {"emptyPages": false}}"#).unwrap();
        assert_eq!((world.users, world.groups), (5, 60));
        assert!(!world.delta.empty_pages && world.delta.duplicates);
        assert!(serde_json::from_str::<World>(r#"{"user": 5}"#).is_err());
    }

    #[test]
    fn a_world_survives_json() {
        for world in [World::default(), World::gentle()] {
            let text = serde_json::to_string(&world).unwrap();
            assert_eq!(serde_json::from_str::<World>(&text).unwrap(), world);
        }
    }
}
