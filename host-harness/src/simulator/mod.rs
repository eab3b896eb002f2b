//! An embedded Microsoft Graph: a stateful, seeded tenant behind a token endpoint and the directory part of Graph v1.0.
//!
//! It shares no code with the connector it serves; both were written from Graph's documentation, so that a wrong idea
//! of one is met by the other. The default [`World`] is not gentle. Four views of the same tenant:
//!
//! ```text
//!   base (computed from the seed) + tenant (what changed, the log)      truth: what a correct import holds
//!     ^ read by graph (endpoints as functions) <- http (sockets, faults on the wire) -> journal
//! ```

mod base;
mod change;
mod clock;
mod fault;
mod graph;
mod http;
mod journal;
mod kinds;
mod login;
mod odata;
mod percent;
mod permissions;
mod relations;
mod route;
mod seal;
mod seed;
mod service;
mod shorthand;
mod streams;
mod tenant;
#[cfg(test)]
mod tests;
mod throttle;
mod traffic;
mod workload;
mod world;

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};

pub use self::change::script::{ChangesDuring, Draw, Script};
pub use self::change::{Change, ChangeKind, ChangeSummary};
pub use self::fault::{Call, Fault, FaultAction, FaultBody, Refusal};
pub use self::journal::{Asked, Exchange, Item};
pub use self::kinds::deed::Deed;
pub use self::kinds::{Deletion, Kind};
pub use self::odata::TextOrder;
pub use self::permissions::Permissions;
pub use self::relations::Relation;
pub use self::route::Route;
pub use self::streams::Stream;
pub use self::tenant::truth::{OrderFreeHash, Truth, TruthEdge, TruthEvent, TruthObject};
pub use self::throttle::{RetryAfter, TenantSize, Throttling};
pub use self::workload::{Licence, Licences, Limits};
pub use self::world::{Delta, Events, JournalMode, Lists, ManagedIdentity, MemberTypes, Roles, SignIn, World};

use self::http::Server;
use self::kinds::identity::ObjectRef;
use self::service::Service;

/// A running simulator. Dropping it stops it.
#[derive(Debug)]
pub struct Simulator {
    service: Arc<Service>,
    server: Server,
}

impl Simulator {
    /// Start on a free port of 127.0.0.1.
    pub fn start(world: World) -> Result<Simulator> {
        Simulator::start_on(world, 0)
    }

    /// Start on a given port of 127.0.0.1.
    pub fn start_on(world: World, port: u16) -> Result<Simulator> {
        let service = Arc::new(Service::new(world));
        let server = Server::start(&service, port)?;
        Ok(Simulator { service, server })
    }

    /// Scheme, host and port of authority and Graph alike.
    pub fn origin(&self) -> String {
        self.server.origin()
    }

    /// The directory's GUID.
    pub fn tenant_id(&self) -> String {
        self.service.tenant_id.clone()
    }

    /// The directory's verified domain.
    pub fn domain(&self) -> String {
        self.service.world.domain.clone()
    }

    /// The application that may sign in.
    pub fn client_id(&self) -> String {
        self.service.client_id.clone()
    }

    /// Its made-up secret.
    pub fn client_secret(&self) -> String {
        self.service.world.client_secret.clone()
    }

    /// The authority to trust, when serving HTTPS.
    pub fn ca_pem(&self) -> Option<String> {
        self.server.authority_pem().map(str::to_owned)
    }

    /// How this tenant was configured.
    pub fn world(&self) -> &World {
        &self.service.world
    }

    /// Apply a script as a whole; an impossible change leaves everything as it was.
    pub fn apply(&self, changes: &[Change]) -> Result<ChangeSummary> {
        let now = self.service.clock.seconds();
        self.service.tenant_mut().apply(changes, now)
    }

    /// Let changes happen when the `nth` request to Graph from now on arrives, before it is answered; 1 is the next
    /// one. A batch is one request; requests for tokens do not count. What is impossible by then is left out.
    pub fn on_request(&self, nth: u64, changes: impl Into<Script>) {
        let during = ChangesDuring { after_requests: nth.saturating_sub(1), changes: changes.into() };
        self.service.change_during(during);
    }

    /// The changes of [`Simulator::on_request`] that turned out impossible, each with its reason.
    pub fn impossible_changes(&self) -> Vec<String> {
        self.service.agenda().impossible().to_vec()
    }

    /// How many scripts of [`Simulator::on_request`] still wait for their request.
    pub fn waiting_scripts(&self) -> usize {
        self.service.agenda().waiting()
    }

    /// A mixed script of valid changes for the tenant as it is now. It is not applied.
    pub fn random_changes(&self, seed: u64, count: usize) -> Vec<Change> {
        let now = self.service.clock.seconds();
        let draw = Draw { seed, count, also: Vec::new() };
        tenant::random::random_changes(&self.service.tenant(), &draw, now)
    }

    /// The same with changes of further kinds, which random scripts leave alone otherwise.
    pub fn random_changes_of(&self, seed: u64, count: usize, also: &[Kind]) -> Vec<Change> {
        let now = self.service.clock.seconds();
        let draw = Draw { seed, count, also: also.to_vec() };
        tenant::random::random_changes(&self.service.tenant(), &draw, now)
    }

    /// The fixed script of the demonstration. It is not applied.
    pub fn demo_changes(&self) -> Vec<Change> {
        let now = self.service.clock.seconds();
        tenant::demo::demo_changes(&self.service.tenant(), now)
    }

    /// What a correct import must hold now.
    pub fn truth(&self) -> Truth {
        self.service.truth()
    }

    /// Let lists and member reads catch up when `World::lists` makes them lag.
    pub fn settle(&self) {
        self.service.tenant_mut().settle();
    }

    /// The id of the object with a number, whether it exists or not. Base objects come first, then those added by
    /// scripts.
    pub fn id(&self, kind: Kind, number: u32) -> String {
        self.service.base.ids.id(ObjectRef { kind, number })
    }

    /// Every exchange kept, oldest first.
    pub fn journal(&self) -> Vec<Exchange> {
        self.service.journal().all()
    }

    /// How often something was asked, alone or in a batch, as far as the journal reaches back.
    ///
    /// ```no_run
    /// # use host_harness::simulator::{Route, Simulator, World};
    /// # fn main() -> anyhow::Result<()> {
    /// # let (simulator, group) = (Simulator::start(World::default())?, "");
    /// let pages = simulator.count(|asked| asked.route == Route::MEMBERS && asked.object == Some(group));
    /// # Ok(())
    /// # }
    /// ```
    pub fn count(&self, counts: impl Fn(&Asked<'_>) -> bool) -> usize {
        self.journal().iter().flat_map(Exchange::asked).filter(|asked| counts(asked)).count()
    }

    /// How many connections were made so far.
    pub fn connections(&self) -> u64 {
        self.service.traffic.connections()
    }

    /// Forget the exchanges so far.
    pub fn clear_journal(&self) {
        self.service.journal().clear();
    }

    /// Change how much is kept from now on.
    pub fn set_journal_mode(&self, mode: JournalMode) {
        self.service.journal().mode = mode;
    }

    /// Write Graph's exchanges as JSON lines, for a checker. Bodies are there in [`JournalMode::Full`] only.
    pub fn write_journal(&self, path: &Path) -> Result<()> {
        let file = File::create(path).with_context(|| format!("creating {}", path.display()))?;
        journal::write_lines(&self.journal(), &mut BufWriter::new(file))?;
        Ok(())
    }

    /// Arm a fault.
    pub fn add_fault(&self, fault: Fault) {
        self.service.add_fault(fault);
    }

    /// Disarm all faults.
    pub fn clear_faults(&self) {
        self.service.clear_faults();
    }

    /// Listen on the same port again, after [`FaultAction::ConnectionRefused`].
    pub fn listen_again(&self) -> Result<()> {
        self.server.listen_again()
    }

    /// What the simulated clock shows, in seconds since 1970.
    pub fn now(&self) -> u64 {
        self.service.clock.seconds()
    }

    /// Move the simulated clock.
    pub fn advance_clock(&self, seconds: u64) {
        self.service.clock.advance(seconds);
    }

    /// Make every access token issued so far worthless.
    pub fn revoke_tokens(&self) {
        self.service.revoke_tokens();
    }

    /// From now on a token is good only if these claims were sent for it: others are answered with a challenge, here in
    /// one of the forms that have been seen.
    pub fn demand_claims(&self, claims: Option<String>) {
        self.service.demand_claims(claims);
    }

    /// Block until `POST /_simulator/shutdown` is called.
    pub fn wait_for_shutdown(&self) {
        self.service.wait_for_stop();
    }
}
