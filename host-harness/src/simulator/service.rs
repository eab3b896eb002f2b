//! Everything one running simulator holds, shared by its connections and by the handle in the test.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::base::Base;
use super::change::script::ChangesDuring;
use super::clock::Clock;
use super::fault::{Fault, FaultAction, Script, Subject};
use super::journal::Journal;
use super::kinds::identity::ObjectRef;
use super::relations::Relation;
use super::seal::Seal;
use super::seed::{mix, stream};
use super::tenant::Tenant;
use super::tenant::agenda::Agenda;
use super::tenant::names::Names;
use super::tenant::resolve::Rules;
use super::tenant::truth::Truth;
use super::throttle::{Bucket, RetryAfter, Window};
use super::traffic::Traffic;
use super::workload::Workload;
use super::world::World;

/// The simulator behind its sockets.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) world: World,
    pub(crate) base: Arc<Base>,
    pub(crate) clock: Clock,
    pub(crate) tenant_id: String,
    pub(crate) client_id: String,
    /// Page and delta tokens.
    pub(crate) seal: Seal,
    /// Access tokens.
    pub(crate) bearer_seal: Seal,
    tenant: RwLock<Tenant>,
    /// For sorted and bounded lists.
    pub(crate) names: Names,
    agenda: Mutex<Agenda>,
    faults: Mutex<Script>,
    journal: Mutex<Journal>,
    bucket: Option<Mutex<Bucket>>,
    windows: BTreeMap<Workload, Mutex<Window>>,
    pub(crate) traffic: Arc<Traffic>,
    generation: AtomicU64,
    /// Claims that a token must have been asked for with.
    demanded: Mutex<Option<String>>,
    /// Ids of assertions, none of which may come twice.
    assertions: Mutex<HashSet<String>>,
    nonces: AtomicU64,
    /// Tokens that the managed identity's endpoint has given.
    platform_tokens: AtomicUsize,
    /// Exchanges that are under way.
    pub(crate) in_flight: AtomicU32,
    /// How often each URL was read, for [`Service::lag_roll`].
    reads: Mutex<HashMap<u64, u64>>,
    asked_to_stop: Mutex<bool>,
    stop: Condvar,
}

impl Service {
    pub(crate) fn new(world: World) -> Service {
        let base = Arc::new(Base::new(&world));
        let clock = Clock::new(world.clock_start);
        let rules = Rules::new(world.security_group_deletion, &world.delta);
        let id = |given: &Option<String>, purpose: &str| {
            given.clone().unwrap_or_else(|| base.ids.other(stream(purpose), 0)).to_lowercase()
        };
        let faults: Vec<_> = world.faults.iter().map(|fault| named(&base, fault.clone())).collect();
        let mut agenda = Agenda::default();
        world.changes_during.iter().for_each(|during| agenda.add(during.clone()));
        Service {
            tenant_id: id(&world.tenant_id, "tenant"),
            client_id: id(&world.client_id, "client"),
            seal: Seal::new(mix(world.seed, stream("page tokens"), 0), world.delta.plus_in_tokens),
            bearer_seal: Seal::new(mix(world.seed, stream("access tokens"), 0), false),
            tenant: RwLock::new(Tenant::new(Arc::clone(&base), rules, &world.lists)),
            names: Names::in_order(world.lists.text_order),
            agenda: Mutex::new(agenda),
            faults: Mutex::new(Script::new(&faults)),
            journal: Mutex::new(Journal::new(world.journal, world.journal_capacity)),
            bucket: world.throttling.clone().map(|throttling| Mutex::new(Bucket::new(throttling, clock.millis()))),
            windows: Workload::ALL
                .into_iter()
                .filter_map(|workload| Some((workload, world.limits.of(workload)?)))
                .map(|(workload, (most, length_ms))| (workload, Mutex::new(Window::new(most, length_ms))))
                .collect(),
            traffic: Arc::default(),
            generation: AtomicU64::new(0),
            demanded: Mutex::default(),
            assertions: Mutex::default(),
            nonces: AtomicU64::new(0),
            platform_tokens: AtomicUsize::new(0),
            in_flight: AtomicU32::new(0),
            reads: Mutex::default(),
            asked_to_stop: Mutex::new(false),
            stop: Condvar::new(),
            world,
            base,
            clock,
        }
    }

    pub(crate) fn tenant(&self) -> RwLockReadGuard<'_, Tenant> {
        self.tenant.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tenant_mut(&self) -> RwLockWriteGuard<'_, Tenant> {
        self.tenant.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        held(&self.journal)
    }

    pub(crate) fn truth(&self) -> Truth {
        let state = self.tenant().state();
        Truth::new(Arc::clone(&self.base), state, self.world.permissions.clone(), self.world.licences.clone())
    }

    /// Count a request to Graph and let happen what waited for it. Later requests wait meanwhile: none of them is
    /// answered from the tenant as it was before.
    pub(crate) fn arrive(&self) {
        let mut agenda = self.agenda();
        for script in agenda.arrive() {
            agenda.carry_out(script, &mut self.tenant_mut(), self.clock.seconds());
        }
    }

    pub(crate) fn agenda(&self) -> MutexGuard<'_, Agenda> {
        held(&self.agenda)
    }

    pub(crate) fn change_during(&self, during: ChangesDuring) {
        self.agenda().add(during);
    }

    /// A number that never comes again.
    pub(crate) fn nonce(&self) -> u64 {
        mix(self.world.seed, stream("nonce"), self.nonces.fetch_add(1, Ordering::Relaxed))
    }

    /// How many tokens the managed identity's endpoint has given before.
    pub(crate) fn platform_token(&self) -> usize {
        self.platform_tokens.fetch_add(1, Ordering::Relaxed)
    }

    /// Decides how old a read is. It depends on what is read and how often that was, not on what else is under way:
    /// workers that overtake each other see the same tenant.
    pub(crate) fn lag_roll(&self, read: u64) -> u64 {
        if !self.world.lists.varying_lag {
            return 0;
        }
        let mut reads = held(&self.reads);
        let count = reads.entry(read).or_default();
        *count += 1;
        mix(self.world.seed, stream("lag") ^ read, *count)
    }

    pub(crate) fn fault_for(&self, subject: &Subject<'_>) -> Option<FaultAction> {
        held(&self.faults).due(subject)
    }

    pub(crate) fn add_fault(&self, fault: Fault) {
        held(&self.faults).add(named(&self.base, fault));
    }

    pub(crate) fn clear_faults(&self) {
        held(&self.faults).clear();
    }

    /// Access tokens of an earlier generation are worthless.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    pub(crate) fn revoke_tokens(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn demand_claims(&self, claims: Option<String>) {
        *held(&self.demanded) = claims;
    }

    pub(crate) fn demanded_claims(&self) -> Option<String> {
        held(&self.demanded).clone()
    }

    /// Whether an assertion's id comes for the first time.
    pub(crate) fn is_new_assertion(&self, id: &str) -> bool {
        held(&self.assertions).insert(id.to_owned())
    }

    /// Takes resource units, or says how many milliseconds to wait and how `Retry-After` is written.
    pub(crate) fn take(&self, units: u32) -> Result<(), (u64, RetryAfter)> {
        let Some(bucket) = &self.bucket else { return Ok(()) };
        let mut bucket = held(bucket);
        bucket.charge(self.clock.millis(), units).map_err(|wait| (wait, bucket.throttling.retry_after))
    }

    /// Counts a request to a service with a limit of its own, or says how many milliseconds to wait.
    pub(crate) fn take_from(&self, workload: Workload) -> Result<(), u64> {
        self.windows.get(&workload).map_or(Ok(()), |window| held(window).take(self.clock.millis()))
    }

    /// The used share of the limit, when Graph would tell it.
    pub(crate) fn load(&self) -> Option<String> {
        self.bucket.as_ref().and_then(|bucket| held(bucket).load())
    }

    pub(crate) fn ask_to_stop(&self) {
        *held(&self.asked_to_stop) = true;
        self.stop.notify_all();
    }

    /// Block until somebody asked for a stop.
    pub(crate) fn wait_for_stop(&self) {
        let mut asked = held(&self.asked_to_stop);
        while !*asked {
            asked = self.stop.wait(asked).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A fault on `#n` becomes one on the id of the object with that number: of the kind that the fault's route addresses,
/// or the parent of the first relation.
fn named(base: &Base, fault: Fault) -> Fault {
    let number = fault.object.as_deref().and_then(|object| object.strip_prefix('#')?.parse().ok());
    let kind = fault.route.addresses().unwrap_or(Relation::ALL[0].table().parent);
    let id = number.map(|number| base.ids.id(ObjectRef { kind, number }));
    Fault { object: id.or(fault.object), ..fault }
}

/// A lock that a panicking test poisoned is still good: nothing here is left half-done.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
