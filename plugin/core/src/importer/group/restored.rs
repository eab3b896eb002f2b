//! Objects that came back from the recycle bin: no feed row brings their memberships, so their groups are asked for.
//!
//! A host that read such a group while the object was away has dropped the edge, and no row of the feed will ever mention
//! it. Asked before each page of groups, so that whatever the feed says about these edges is applied on top.

use serde_json::value::RawValue;

use super::judge::{Judge, merged};
use super::rounds::GroupRounds;
use super::row::GroupRow;
use crate::error::Error;
use crate::graph::{Get, Reason};
use crate::importer::group::followed::Why;
use crate::importer::is_hidden;
use crate::importer::scopes::Scope;
use crate::mapping::{Issue, Mode, ObjectId, Selection, Severity, edge};
use crate::model::{Member, Page, RowSeed};
use crate::sync::{Broke, Expect, First, Who, unreadable, walk_pages};

const ODATA_TYPE: &str = "@odata.type";

fn is_a_group(odata_type: Option<&RawValue>) -> bool {
    odata_type.is_some_and(|value| value.get() == "\"#microsoft.graph.group\"")
}

impl GroupRounds<'_> {
    /// Brings the edges of everyone who came back. Who cannot be asked for stays on the list, for the next run.
    pub(super) fn bring_restored(&mut self, mode: Mode) -> Result<(), Error> {
        loop {
            let next = self
                .writer
                .ledger
                .with(|mark| mark.lists.restored.iter().find(|(_, id)| !self.unasked.contains(id)).copied());
            let Some((who, id)) = next else { return Ok(()) };
            let brought = match self.outage.given_up() {
                Some(error) => Err(error),
                None => {
                    let brought = self.bring(who, id, mode);
                    self.outage.note(brought.as_ref().err());
                    brought
                }
            };
            match brought {
                Ok(()) => self.writer.ledger.with(|mark| mark.lists.restored.retain(|(_, back)| *back != id)),
                Err(error) if error.kind.ends_everything() => return Err(error),
                Err(error) => {
                    self.unasked.push(id);
                    self.report(who, id, mode, &error)?;
                }
            }
        }
    }

    fn bring(&mut self, who: Who, id: ObjectId, mode: Mode) -> Result<(), Error> {
        let Some(followed) = &self.followed else { return Ok(()) };
        let (collection, member_type) = match who {
            Who::User => ("users", "#microsoft.graph.user"),
            Who::Group => ("groups", "#microsoft.graph.group"),
        };
        let text = id.to_string();
        let member = Member { odata_type: Some(member_type.into()), id: Some(text.as_str().into()) };
        let named = self.run.config.group_selection_filter.as_ref().map_or(&[][..], |filter| filter.properties());
        // A row says of itself that it is a group: roles and administrative units have members too.
        let asked = Selection::new(vec![ODATA_TYPE.to_owned()], &[], None).judged_by(named);
        let judge = Judge::new(self.run.config.group_selection_filter.as_ref(), &asked);
        let select: String = asked.properties()[1..].iter().flat_map(|name| [",", name]).collect();
        let query = format!("/{collection}/{text}/memberOf?$select=id{select}&$top=999&$count=true");
        let first = First { advanced: true, ..First::of(self.run.graph.link(&query)) };
        let walked = walk_pages(
            self.run.graph,
            first,
            Expect::NoDeltaLink,
            |answer| {
                let page = Page::read(answer.body, RowSeed { properties: asked.properties() }).map_err(unreadable)?;
                let groups = page.rows.iter().filter(|row| is_a_group(row.values[0]));
                let rows = groups.filter_map(|row| GroupRow::of(row, || followed.writer.records(mode)));
                let in_scope = rows.filter(|row| judge.is_in_scope(&row.id, &merged(row, None)));
                Ok((page.links, in_scope.map(|row| row.id).collect::<Vec<_>>()))
            },
            |groups, _| {
                let mut records = followed.writer.records(mode);
                for group in &groups {
                    edge(group, &member, &mut records);
                }
                followed.writer.push(records)?;
                // The list may be older than the restore, and no feed row will say so.
                let ids = groups.iter().filter_map(|group| ObjectId::parse(group));
                followed.writer.ledger.with(|mark| ids.for_each(|id| mark.lists.to_confirm(id)));
                Ok(())
            },
        );
        match walked {
            Ok(_) => {}
            // Gone again: its next row says so.
            Err(Broke::Missing(_)) => return Ok(()),
            Err(broke) => return Err(broke.into_error()),
        }
        // With a filter the group's own row has it read; without one nothing else would.
        if who == Who::Group && !self.judge.filters() {
            let hidden = self.is_hidden_now(&text)?;
            followed.read(vec![Scope::new(text, hidden)], mode, Why::Feed)?;
        }
        Ok(())
    }

    fn report(&self, who: Who, id: ObjectId, mode: Mode, error: &Error) -> Result<(), Error> {
        let Some(followed) = &self.followed else { return Ok(()) };
        let what = if who == Who::User { "user" } else { "group" };
        let mut records = followed.writer.records(mode);
        records.issue(&Issue {
            scope: None,
            source_id: None,
            severity: Severity::Error,
            code: "RestoredUnread",
            message: &format!(
                "the {what} {id} came back from the recycle bin, and its memberships could not be read; the next import tries again: {}",
                error.message
            ),
            request_id: error.http.as_ref().and_then(|http| http.request_id.as_deref()),
        });
        followed.writer.push(records)
    }

    /// Whether a group hides its members, asked for where no row at hand tells.
    fn is_hidden_now(&self, group: &str) -> Result<bool, Error> {
        let link = self.run.graph.link(&format!("/groups/{group}?$select=visibility"));
        let properties = [String::from("visibility")];
        let read = self.run.graph.get(&Get { link, advanced: false }, |answer| {
            use serde::de::DeserializeSeed as _;
            let mut json = serde_json::Deserializer::from_slice(answer.body);
            let row = RowSeed { properties: &properties }.deserialize(&mut json).map_err(unreadable)?;
            Ok(is_hidden(row.values[0]))
        });
        match read {
            Ok(hidden) => Ok(hidden),
            // Its members will not be found either: reading them says so and has it repaired.
            Err(failure) if failure.reason == Reason::Gone => Ok(false),
            Err(failure) => Err(Error::from(failure)),
        }
    }
}
