//! The codes of Issues and Warnings, each once, with what carries it and how severe it is.
//!
//! Hosts count and alert by these names, so a code is never renamed and never used for something else. What each means
//! to an operator, and what the connector did, is a row in `docs/semantics.md`: a test compares both tables, in both
//! directions.

use crate::error::Kind;

/// Whether an Issue makes the run partial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not.
    Warning,
}

impl Severity {
    /// As records spell it.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "Error",
            Severity::Warning => "Warning",
        }
    }
}

/// What brings a code to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// A record, among the rows.
    Issue(Severity),
    /// The Result; it never changes the outcome.
    Warning,
}

macro_rules! codes {
    ($($(#[$meaning:meta])+ $code:ident: $carrier:expr,)+) => {
        /// Why an operator is told something.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $($(#[$meaning])+ $code,)+
            /// The object type could not be read to its end. The code is that of the error.
            TypeUnread(Kind),
        }

        impl Code {
            #[cfg(test)]
            const OWN: &[Code] = &[$(Code::$code),+];

            /// As records and the Result spell it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Code::$code => stringify!($code),)+
                    Code::TypeUnread(kind) => kind.code(),
                }
            }

            /// What brings it to the host.
            pub fn carrier(self) -> Carrier {
                match self {
                    $(Code::$code => $carrier,)+
                    Code::TypeUnread(_) => Carrier::Issue(Severity::Error),
                }
            }
        }
    };
}

codes! {
    /// Graph sent a row without an id, which was skipped.
    RowWithoutId: Carrier::Issue(Severity::Warning),
    /// An attribute of one object was not delivered.
    UnexpectedValue: Carrier::Issue(Severity::Warning),
    /// A group hides its members and showed none.
    HiddenMembership: Carrier::Issue(Severity::Warning),
    /// The members of a group could not be read to the end.
    MembersUnread: Carrier::Issue(Severity::Error),
    /// A changed group can be judged by the filter only when it is read, and it could not be read.
    GroupUnread: Carrier::Issue(Severity::Error),
    /// The groups of a restored object could not be read.
    RestoredUnread: Carrier::Issue(Severity::Error),
    /// The permission to read the recycle bin is missing.
    RecycleBinUnread: Carrier::Issue(Severity::Error),
    /// Groups are read as a list on every run, since only Graph can evaluate the filter.
    FilteredList: Carrier::Warning,
    /// Read in full, since the stored link was made for another selection.
    SelectionChanged: Carrier::Warning,
    /// The watermark holds only links.
    ForeignWatermark: Carrier::Warning,
    /// The stored link is nearly as old as Graph lets it become.
    DeltaLinkAge: Carrier::Warning,
    /// Read in full, since Graph refused the stored link.
    DeltaLinkExpired: Carrier::Warning,
    /// The feed was walked, since the lists did not bring what Graph counts.
    SnapshotNotWhole: Carrier::Warning,
    /// A walk was begun again.
    RoundRestarted: Carrier::Warning,
    /// More groups are to be read a second time than a watermark can name.
    ConfirmOverflow: Carrier::Warning,
    /// More objects came back from the recycle bin than a watermark can name.
    RestoredOverflow: Carrier::Warning,
}

impl Code {
    /// How severe the Issue is. Nothing that a Warning brings makes a run partial.
    pub fn severity(self) -> Severity {
        match self.carrier() {
            Carrier::Issue(severity) => severity,
            Carrier::Warning => Severity::Warning,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const PAGE: &str = include_str!("../../../docs/semantics.md");

    /// The cells of the rows below the header that begins so.
    fn rows(header: &str) -> Vec<Vec<&'static str>> {
        let table = PAGE.split(header).nth(1).unwrap().split("\n\n").next().unwrap();
        table.lines().skip(2).map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
    }

    /// The codes of the page, each as its name, what carries it and how severe it is.
    fn on_the_page() -> (BTreeSet<String>, Vec<Vec<&'static str>>) {
        let (own, of_errors): (Vec<_>, Vec<_>) =
            rows("\n| Issue `Code` |").into_iter().partition(|row| row[0].matches('`').count() == 2);
        let issues = own.iter().map(|row| format!("{} Issue {}", row[0], row[1]));
        let warnings = rows("\n| Warning `Code` ").into_iter().map(|row| format!("{} Warning", row[0]));
        (issues.chain(warnings).collect(), of_errors)
    }

    #[test]
    fn every_code_has_its_row_in_semantics_md_and_every_row_its_code() {
        let written = Code::OWN.iter().map(|code| match code.carrier() {
            Carrier::Issue(severity) => format!("`{}` Issue {}", code.name(), severity.name()),
            Carrier::Warning => format!("`{}` Warning", code.name()),
        });
        assert_eq!(written.collect::<BTreeSet<_>>(), on_the_page().0);
    }

    #[test]
    fn type_that_could_not_be_read_has_the_code_of_its_error() {
        let (_, row) = on_the_page();
        let kinds = [
            Kind::Forbidden,
            Kind::Throttled,
            Kind::Network,
            Kind::Service,
            Kind::WatermarkExpired,
            Kind::TooManyDeletes,
        ];
        let names: Vec<_> = kinds.iter().map(|kind| format!("`{}`", Code::TypeUnread(*kind).name())).collect();
        assert_eq!(row.len(), 1, "one row for all of them");
        assert_eq!(row[0][0], format!("the codes of the statuses: {}", names.join(", ")));
        assert_eq!(row[0][1], Code::TypeUnread(Kind::Forbidden).severity().name());
    }
}
