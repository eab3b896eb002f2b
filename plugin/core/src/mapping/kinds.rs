//! The words of the contract that records are made of: modes, reasons, and what a Begin, an Issue and an End say.

use crate::code::Code;

/// How a set is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The whole set.
    Full,
    /// Changes.
    Delta,
}

impl Mode {
    /// As records spell it.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Full => "Full",
            Mode::Delta => "Delta",
        }
    }
}

/// Why something is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// In the recycle bin.
    SoftDeleted,
    /// Gone for good.
    Purged,
    /// Exists, but the filter no longer matches.
    LeftScope,
    /// An edge that ended.
    Removed,
}

impl Reason {
    /// As records spell it.
    pub fn name(self) -> &'static str {
        match self {
            Reason::SoftDeleted => "SoftDeleted",
            Reason::Purged => "Purged",
            Reason::LeftScope => "LeftScope",
            Reason::Removed => "Removed",
        }
    }
}

/// The opening of a set.
#[derive(Debug, Clone, Copy)]
pub struct Begin<'a> {
    /// Full or Delta.
    pub mode: Mode,
    /// Names this set; a host marks rows with it.
    pub set_id: &'a str,
    /// Whether it goes on where an earlier run stopped.
    pub resumed: bool,
    /// How the host treats an object that a Full set did not bring.
    pub absence: Reason,
    /// The attributes that Upserts of this set carry.
    pub attributes: &'a [String],
}

/// Something the operator should know about one object, one scope or one object type.
#[derive(Debug, Clone, Copy)]
pub struct Issue<'a> {
    /// The group it concerns, for edges.
    pub scope: Option<&'a str>,
    /// The object it concerns.
    pub source_id: Option<&'a str>,
    /// What it is about. Its severity says whether the run is partial because of it.
    pub code: Code,
    /// For the operator.
    pub message: &'a str,
    /// Graph's `request-id`.
    pub request_id: Option<&'a str>,
}

/// What an End counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Upserts since Begin.
    pub upserts: u64,
    /// Deletes since Begin, `LeftScope` not among them.
    pub deletes: u64,
    /// Deletes with reason `LeftScope`.
    pub left_scope: u64,
    /// Scopes that were not read whole.
    pub unread_scopes: u64,
}

/// What was written: the rows of an End, and the Issues beside them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows.
    pub counts: Counts,
    /// Issues.
    pub issues: u64,
    /// Those of severity Error.
    pub errors: u64,
}

impl Written {
    /// Counts more.
    pub fn add(&mut self, more: Written) {
        self.counts.upserts += more.counts.upserts;
        self.counts.deletes += more.counts.deletes;
        self.counts.left_scope += more.counts.left_scope;
        self.counts.unread_scopes += more.counts.unread_scopes;
        self.issues += more.issues;
        self.errors += more.errors;
    }
}
