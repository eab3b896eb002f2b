//! What can be typed, and the help that comes with it. Nothing is opened or checked here; the commands do that.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::connector::DoorKind;

/// A small real engine for connector libraries.
#[derive(Debug, Parser)]
#[command(name = "host-harness", version, max_term_width = 100, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(super) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 success, 1 failure, 2 wrong usage, 3 partial (something was not delivered).

Examples:
  host-harness demo
  host-harness list
  host-harness import --config entra.json --auth auth.json";

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Import a simulated tenant in full and by delta, and prove the result equal to the tenant
    #[command(after_help = "Needs no network and no flags.

Examples:
  host-harness demo
  host-harness demo --users 100000 --groups 5000 --edges 500000 --keep ./big")]
    Demo(Demo),
    /// List the connectors in a folder, and files that are none with the reason
    #[command(after_help = "Example:
  host-harness list --connectors /opt/engine/Connectors")]
    List(List),
    /// Show what a connector is: object types, permissions, configuration keys
    #[command(after_help = "Examples:
  host-harness describe
  host-harness describe --json | jq .ConfigSchema")]
    Describe(Describe),
    /// Test the connection: token, permissions, licence, size, and what to do about each failure
    #[command(
        after_help = "Reads, and changes nothing. Each row has an outcome: Passed; Failed; Skipped (not looked at, or not
needed); Unknown (nobody can say). A row that did not fail may say what to do, too.

Exit codes: 0 nothing failed; 3 something failed, or will keep an import from being whole; 1 nothing
could be checked; 2 wrong usage.

--json prints one object: Connector {Name, Version}, Outcome (Succeeded, Partial, Failed, Cancelled),
Status (of the contract), Checks (a list of the connector's rows: ObjectType, Step, Outcome, Message,
Remedy, Permission, EstimatedObjects, EstimatedRequests, RequestId; unknown ones are null), Error
(null, or why nothing could be checked). Members may be added, none is renamed.

Examples:
  host-harness check --config entra.json --auth auth.json
  host-harness check --config entra.json --auth auth.json --store mesh.db
  host-harness check --config entra.json --auth auth.json --json | jq '.Checks[] | select(.Outcome == \"Failed\")'"
    )]
    Check(Check),
    /// Import into the store: a delta import, or a full one the first time
    #[command(after_help = "secret://NAME in any string of AuthJson is replaced by the variable CONNECTOR_SECRET_NAME
(upper case, '-' and '.' as '_') or the file NAME in the secrets folder.

Exit codes: 0 everything was delivered; 3 partial: some object type or scope was not, what was there
of it is kept, and the next import reads it; 1 failed or stopped: what the last checkpoint covers is
stored, and the next import goes on from there.

Removal guard: a run that would remove more than 500 rows and more than 20 % of an object type, because
the source no longer lists them or they left scope (a changed filter), is stopped before it does (exit
code 1) and lists them; so is one that would remove more than half of an object type of ten rows or
more. --accept-deletes then removes the numbers that the stop showed, per object type,
and no more: a run that would remove more is stopped again and shows the new number. Deletes that the
source reports are not counted; for those the connector may have a limit of its own.

Examples:
  host-harness import --config entra.json --auth auth.json
  host-harness import --config entra.json --auth auth.json --full --store mesh.db
  host-harness import --config entra.json --auth auth.json --max-removals 50
  host-harness import --config entra.json --auth auth.json --accept-deletes
  host-harness import --config entra.json --auth auth.json --out rows.ndjson")]
    Import(Import),
    /// Show what is in the store
    #[command(after_help = "Examples:
  host-harness show
  host-harness show objects --type User --limit 20
  host-harness show objects --deleted
  host-harness show group \"Sales Europe\"
  host-harness show edges --type GroupMember --json")]
    Show(Show),
    /// Show the run history
    #[command(after_help = "Examples:
  host-harness runs
  host-harness runs --run 12")]
    Runs(Runs),
    /// Keep secrets for secret:// references
    #[command(after_help = "Examples:
  host-harness secret set contoso-secret            # asks, without showing what is typed
  vault read ... | host-harness secret set contoso-secret
  host-harness secret list")]
    Secret(Secret),
    /// Run a simulated Microsoft Graph until it is stopped
    #[command(
        after_help = "The first line on stdout is JSON with the origin, the tenant and an application's credentials.

Examples:
  host-harness simulate --port 8400
  host-harness simulate --users 1000 --groups 50
  host-harness simulate --world world.json --journal journal.ndjson
  host-harness simulate --https --ca-file ca.pem"
    )]
    Simulate(Simulate),
}

/// Which connector, and how it is called.
#[derive(Debug, Clone, Args)]
pub(super) struct ConnectorChoice {
    /// Folder with connector libraries [default: ./Connectors, then beside this program]
    #[arg(long, value_name = "DIR")]
    pub connectors: Option<PathBuf>,
    /// Name of the connector, where there are several
    #[arg(long, value_name = "NAME")]
    pub connector: Option<String>,
    /// The door to go through: the C functions or the abi_stable module
    #[arg(long, value_enum, default_value = "c")]
    pub door: Door,
}

/// `--door`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Door {
    /// The C functions of connector.h.
    C,
    /// The abi_stable module for Rust hosts.
    AbiStable,
}

impl From<Door> for DoorKind {
    fn from(door: Door) -> DoorKind {
        match door {
            Door::C => DoorKind::C,
            Door::AbiStable => DoorKind::AbiStable,
        }
    }
}

/// The two documents, and where secrets come from.
#[derive(Debug, Clone, Args)]
pub(super) struct Documents {
    /// File with ConfigJson
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// File with AuthJson; may refer to secrets as secret://NAME
    #[arg(long, value_name = "FILE")]
    pub auth: PathBuf,
    /// Folder of secret files [default: $CONNECTOR_SECRETS, else ./secrets]
    #[arg(long, value_name = "DIR")]
    pub secrets: Option<PathBuf>,
}

/// Which store.
#[derive(Debug, Clone, Args)]
pub(super) struct StoreChoice {
    /// The store
    #[arg(long, value_name = "FILE", default_value = "mesh.db")]
    pub store: PathBuf,
}

/// `demo`
#[derive(Debug, Clone, Args)]
pub(super) struct Demo {
    /// Users of the simulated tenant
    #[arg(long, default_value_t = 2000)]
    pub users: u32,
    /// Groups of the simulated tenant
    #[arg(long, default_value_t = 150)]
    pub groups: u32,
    /// Memberships of the simulated tenant, about
    #[arg(long, default_value_t = 10_000)]
    pub edges: u64,
    /// Everything that looks random comes from this number
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where the demo's files go; it must be new or empty [default: a new temporary folder]
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Write the simulator's journal of exchanges here
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// The door to go through: the C functions or the abi_stable module
    #[arg(long, value_enum, default_value = "c")]
    pub door: Door,
}

/// `list`
#[derive(Debug, Clone, Args)]
pub(super) struct List {
    /// Folder with connector libraries [default: ./Connectors, then beside this program]
    #[arg(long, value_name = "DIR")]
    pub connectors: Option<PathBuf>,
    /// As JSON, one object for each file
    #[arg(long)]
    pub json: bool,
}

/// `describe`
#[derive(Debug, Clone, Args)]
pub(super) struct Describe {
    /// Which connector.
    #[command(flatten)]
    pub connector: ConnectorChoice,
    /// The connector's own JSON
    #[arg(long)]
    pub json: bool,
}

/// `check`
#[derive(Debug, Clone, Args)]
pub(super) struct Check {
    /// Which connector.
    #[command(flatten)]
    pub connector: ConnectorChoice,
    /// What it is called with.
    #[command(flatten)]
    pub documents: Documents,
    /// Also look at the watermark in this store: whether it fits, and how long it is good
    #[arg(long, value_name = "FILE")]
    pub store: Option<PathBuf>,
    /// Name of the instance in the store [default: the connector's name]
    #[arg(long, value_name = "NAME", requires = "store")]
    pub instance: Option<String>,
    /// One JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

/// `import`
#[derive(Debug, Clone, Args)]
pub(super) struct Import {
    /// Which connector.
    #[command(flatten)]
    pub connector: ConnectorChoice,
    /// What it is called with.
    #[command(flatten)]
    pub documents: Documents,
    /// Where it goes.
    #[command(flatten)]
    pub store: StoreChoice,
    /// Name of this instance in the store [default: the connector's name]
    #[arg(long, value_name = "NAME")]
    pub instance: Option<String>,
    /// Leave the stored watermark aside and read everything
    #[arg(long)]
    pub full: bool,
    /// Stop before more than N rows of one object type are removed because the source no longer lists them or they left
    /// scope. With --max-removals-percent both limits must be passed [default: 500, and 20 %; or half of a type of 10
    /// rows or more]
    #[arg(long, value_name = "N", help_heading = "Removal guard")]
    pub max_removals: Option<u64>,
    /// Stop before more than P % of the rows of one object type are removed so
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u8).range(0..=100), help_heading = "Removal guard")]
    pub max_removals_percent: Option<u8>,
    /// Remove what the last stopped import showed and no more, this once, under the limits of that import. Without such
    /// an import the guard holds as usual, with a warning
    #[arg(long, conflicts_with_all = ["max_removals", "max_removals_percent"], help_heading = "Removal guard")]
    pub accept_deletes: bool,
    /// Also write every record to this file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Show the connector's log; twice: each request too
    #[arg(long, short, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// The run's report as JSON on stdout instead of words
    #[arg(long)]
    pub json: bool,
}

/// `show`
#[derive(Debug, Clone, Args)]
pub(super) struct Show {
    /// What to show; without it an overview.
    #[command(subcommand)]
    pub what: Option<Shown>,
    /// The store
    #[arg(long, value_name = "FILE", default_value = "mesh.db", global = true)]
    pub store: PathBuf,
    /// One JSON object a line, complete
    #[arg(long, global = true)]
    pub json: bool,
    /// Lines at most; 0: all
    #[arg(long, value_name = "N", default_value_t = 100, global = true)]
    pub limit: u64,
}

/// What `show` shows.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum Shown {
    /// Objects
    Objects {
        /// Of this type only
        #[arg(long = "type", value_name = "NAME")]
        object_type: Option<String>,
        /// Hidden ones: soft-deleted, or absent from a whole set
        #[arg(long)]
        deleted: bool,
    },
    /// Edges
    Edges {
        /// Of this type only
        #[arg(long = "type", value_name = "NAME")]
        object_type: Option<String>,
        /// Dormant ones: an end of them is deleted
        #[arg(long)]
        dormant: bool,
    },
    /// The members of one group
    Group {
        /// Its id or display name
        name: String,
    },
}

/// `runs`
#[derive(Debug, Clone, Args)]
pub(super) struct Runs {
    /// Which store.
    #[command(flatten)]
    pub store: StoreChoice,
    /// Everything about one run
    #[arg(long, value_name = "N")]
    pub run: Option<i64>,
    /// Runs at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: u32,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `secret`
#[derive(Debug, Clone, Args)]
pub(super) struct Secret {
    /// What to do.
    #[command(subcommand)]
    pub what: SecretCommand,
    /// Folder of secret files [default: $CONNECTOR_SECRETS, else ./secrets]
    #[arg(long, value_name = "DIR", global = true)]
    pub secrets: Option<PathBuf>,
}

/// What `secret` does.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum SecretCommand {
    /// Write a secret file from what is typed or piped in
    Set {
        /// What stands after secret://
        name: String,
    },
    /// Names and sources of all secrets, never a value
    List,
}

/// `simulate`
#[derive(Debug, Clone, Args)]
pub(super) struct Simulate {
    /// Port on 127.0.0.1; 0: any free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,
    /// The world, as JSON; flags below override it
    #[arg(long, value_name = "FILE")]
    pub world: Option<PathBuf>,
    /// Users of the tenant
    #[arg(long)]
    pub users: Option<u32>,
    /// Groups of the tenant
    #[arg(long)]
    pub groups: Option<u32>,
    /// Memberships of the tenant, about
    #[arg(long)]
    pub edges: Option<u64>,
    /// Everything that looks random comes from this number
    #[arg(long)]
    pub seed: Option<u64>,
    /// Serve HTTPS with a certificate of a generated authority
    #[arg(long, requires = "ca_file")]
    pub https: bool,
    /// Where the generated authority's certificate is written
    #[arg(long, value_name = "FILE", requires = "https")]
    pub ca_file: Option<PathBuf>,
    /// Write the journal of exchanges here at the end
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// End when stdin ends, for a parent process
    #[arg(long, hide = true)]
    pub until_stdin_ends: bool,
}
