//! More than 500 at once: most lists that a watermark carries hold 500 ids, and what is above them must not be lost.

use std::collections::BTreeSet;

use host_harness::simulator::{Change, Simulator};
use serde_json::{Map, json};

/// More objects than a list of a watermark holds.
pub(super) const CROWD: usize = 540;

/// More users than a watermark names of those who are in the recycle bin, which are the most that it names of anything.
pub(super) const MULTITUDE: usize = 1_560;

/// Users who stay when a crowd is deleted.
const STAYING: usize = 15;

/// A change of more than 500 objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crowd {
    /// All users but a few go to the recycle bin.
    UsersDeleted,
    /// Users who are in the recycle bin come back.
    UsersRestored,
    /// Groups have a new description.
    GroupsTouched,
}

impl Crowd {
    pub(super) fn changes(self, sim: &Simulator, ids: &Ids) -> Vec<Change> {
        match self {
            Crowd::UsersDeleted => ids.live_users(sim).into_iter().skip(STAYING).map(Change::delete_user).collect(),
            Crowd::UsersRestored => {
                let live: BTreeSet<String> = ids.live_users(sim).into_iter().collect();
                let away = ids.users.iter().filter(|id| !live.contains(*id));
                away.map(|user| Change::restore_user(user.clone())).collect()
            }
            Crowd::GroupsTouched => {
                let touched = Map::from_iter([("description".to_owned(), json!("touched"))]);
                let groups = sim.truth().groups().map(|group| group.id).collect::<Vec<_>>().into_iter();
                groups.map(|group| Change::update_group(group, touched.clone())).collect()
            }
        }
    }
}

/// Objects that the tenant began with.
#[derive(Debug, Default)]
pub(super) struct Ids {
    users: Vec<String>,
}

impl Ids {
    pub(super) fn of(sim: &Simulator) -> Ids {
        Ids { users: (0..sim.world().users).map(|n| sim.user_id(n)).collect() }
    }

    fn live_users(&self, sim: &Simulator) -> Vec<String> {
        let live: BTreeSet<String> = sim.truth().users().map(|user| user.id).collect();
        self.users.iter().filter(|id| live.contains(*id)).cloned().collect()
    }
}
