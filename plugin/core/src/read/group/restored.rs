//! Objects that came back from the recycle bin: no feed row brings their memberships, so their groups are asked for.
//!
//! A host that read such a group while the object was away has dropped the edge, and no row of the feed will ever
//! mention it. Asked before each page of groups, so that whatever the feed says about these edges is applied on top.
//! The answer may be older than the restore: an object without groups, or none of that id, is asked for once more by
//! the next run.

use serde_json::value::RawValue;

use super::followed::Why;
use super::hidden::is_hidden;
use super::judge::{Judge, merged};
use super::rounds::GroupRounds;
use super::row::GroupRow;
use crate::code::Code;
use crate::error::Error;
use crate::graph::{self, Answer, Get, LARGEST_BATCH, Link, Reason, Unreadable};
use crate::mapping::{Issue, Mode, ObjectId, Selection, edge};
use crate::model::{Member, Page, RowSeed};
use crate::read::children::Scope;
use crate::sync::{Expect, Look, Restored, WalkError, WalkStart, unreadable, walk_pages};
use crate::types::{GROUP, GROUP_MEMBER, ObjectType};

const ODATA_TYPE: &str = "@odata.type";

fn is_a_group(odata_type: Option<&RawValue>) -> bool {
    odata_type.is_some_and(|value| value.get() == "\"#microsoft.graph.group\"")
}

/// How the groups of a restored object are asked for.
struct Question<'a> {
    judge: Judge<'a>,
    asked: &'a Selection,
    select: String,
}

impl Question<'_> {
    fn get(&self, restored: &Restored, graph: &graph::Graph) -> Get {
        let collection = restored.object_type.feed().map_or("", |feed| feed.collection);
        let id = restored.id;
        let query = format!("{collection}/{id}/memberOf?$select=id{}&$top=999&$count=true", self.select);
        Get { link: graph.link(&query), advanced: true }
    }

    /// The groups in scope on a page, and the next link.
    fn read(&self, answer: &Answer<'_>) -> Result<(crate::model::Links, Vec<String>), Unreadable> {
        let page = Page::read(answer.body, RowSeed { properties: self.asked.properties() }).map_err(unreadable)?;
        let groups = page.rows.iter().filter(|row| row.values.first().is_some_and(|value| is_a_group(*value)));
        // Entries are not read here.
        let rows = groups.filter_map(|row| GroupRow::of(row, || crate::mapping::Records::new("")));
        let in_scope = rows.filter(|row| self.judge.is_in_scope(&row.id, &merged(row, None)));
        let in_scope = in_scope.map(|row| row.id).collect();
        Ok((page.links, in_scope))
    }
}

impl GroupRounds<'_> {
    /// Brings the edges of restored objects. An object that cannot be asked for stays on the list, for the next run.
    pub(super) fn bring_restored(&mut self, mode: Mode) -> Result<(), Error> {
        let filter = self.run.config.group_selection_filter.as_ref();
        let named = filter.map_or(&[][..], |filter| filter.properties());
        // A row says of itself that it is a group: roles and administrative units have members too.
        let asked = Selection::new(vec![ODATA_TYPE.to_owned()], &[], None).judged_by(named);
        let select = asked.properties()[1..].iter().flat_map(|name| [",", name]).collect();
        let question = Question { judge: Judge::new(filter, &asked), asked: &asked, select };
        loop {
            let some: Vec<Restored> = self.writer.ledger.with(|mark| {
                let due = mark.lists.restored.all.iter().filter(|restored| restored.look != Look::Done);
                due.filter(|restored| !self.unasked.contains(&restored.id)).take(LARGEST_BATCH).copied().collect()
            });
            if some.is_empty() {
                return Ok(());
            }
            self.bring_some(&question, &some, mode)?;
        }
    }

    fn bring_some(&mut self, question: &Question<'_>, some: &[Restored], mode: Mode) -> Result<(), Error> {
        let graph = self.run.graph;
        let requests: Vec<Get> = some.iter().map(|restored| question.get(restored, graph)).collect();
        let read = |answer: &Answer<'_>| question.read(answer);
        let answers = match requests.as_slice() {
            _ if self.outage.given_up().is_some() => return self.give_up_restored(some, mode),
            [only] => vec![graph.get(only, read)],
            many => graph.batch(many, |_, answer| read(answer))?,
        };
        for ((restored, request), answer) in some.iter().zip(requests).zip(answers) {
            let brought = match answer {
                Ok((links, groups)) if links.next.is_none() => self.bring(restored, &groups, mode),
                Ok(_) => self.bring_pages(question, restored, request.link, mode),
                // Not there, or not yet there: the next run looks again.
                Err(failure) if failure.reason == Reason::Gone => Ok(()),
                Err(failure) => Err(Error::from(failure)),
            };
            self.outage.note(brought.as_ref().err());
            match brought.and_then(|()| self.own_members(restored, mode)) {
                Ok(()) => {
                    self.writer.ledger.with(|mark| mark.lists.restored.looked_up(restored.id));
                }
                Err(error) if error.kind.ends_everything() => return Err(error),
                Err(error) => {
                    self.unasked.insert(restored.id);
                    self.report(restored.object_type, restored.id, mode, &error)?;
                }
            }
        }
        Ok(())
    }

    /// Each of many reads in a row has used up its retries: the rest is left to the next run.
    fn give_up_restored(&mut self, some: &[Restored], mode: Mode) -> Result<(), Error> {
        let Some(error) = self.outage.given_up() else { return Ok(()) };
        for restored in some {
            self.unasked.insert(restored.id);
            self.report(restored.object_type, restored.id, mode, &error)?;
        }
        Ok(())
    }

    /// Sends the edges of a restored object to these groups.
    fn bring(&self, restored: &Restored, groups: &[String], mode: Mode) -> Result<(), Error> {
        let Some(followed) = &self.followed else { return Ok(()) };
        let odata_type = restored.object_type.odata_type.unwrap_or_default();
        let id = restored.id.to_string();
        let member = Member { odata_type: Some(odata_type.into()), id: Some(id.as_str().into()) };
        let mut records = followed.writer.records(mode);
        for group in groups {
            edge(&GROUP_MEMBER, group, &member, &mut records);
        }
        followed.writer.push(records)?;
        // The list may be older than the restore, and no feed row will say so.
        let ids = groups.iter().filter_map(|group| ObjectId::parse(group));
        followed.writer.ledger.with(|mark| ids.for_each(|id| mark.lists.to_confirm(id)));
        Ok(())
    }

    /// The groups of an object that is in more of them than one page holds.
    fn bring_pages(&self, question: &Question<'_>, restored: &Restored, link: Link, mode: Mode) -> Result<(), Error> {
        let walked = walk_pages(
            self.run.graph,
            WalkStart { advanced: true, ..WalkStart::of(link) },
            Expect::NoDeltaLink,
            |answer| question.read(answer),
            |groups, _| self.bring(restored, &groups, mode),
        );
        match walked {
            Ok(_) | Err(WalkError::Missing(_)) => Ok(()),
            Err(broke) => Err(broke.into_error()),
        }
    }

    /// The members of a restored group. With a filter the group's own row has them read; without one nothing else
    /// would.
    fn own_members(&self, restored: &Restored, mode: Mode) -> Result<(), Error> {
        let Some(followed) = self.followed.as_ref().filter(|_| restored.object_type == &GROUP && !self.judge.filters())
        else {
            return Ok(());
        };
        let group = restored.id.to_string();
        // Read by this round already, because its row or a list named it.
        if self.read.contains(&group) || restored.look == Look::Again && self.read_again.contains(&restored.id) {
            return Ok(());
        }
        match self.is_hidden_now(&group)? {
            Some(hidden) => followed.read(vec![Scope::new(group, hidden)], mode, Why::Feed),
            // Not there, or not yet there: the next run looks again.
            None => Ok(()),
        }
    }

    fn report(&self, object_type: &ObjectType, id: ObjectId, mode: Mode, error: &Error) -> Result<(), Error> {
        let Some(followed) = &self.followed else { return Ok(()) };
        let what = if object_type == &GROUP { "group" } else { "user" };
        let mut records = followed.writer.records(mode);
        records.issue(&Issue {
            scope: None,
            source_id: None,
            code: Code::RestoredUnread,
            message: &format!(
                "the {what} {id} came back from the recycle bin, or may have, and its memberships could not be read; the next import tries again: {}",
                error.message
            ),
            request_id: error.request_id(),
        });
        followed.writer.push(records)
    }

    /// Whether a group hides its members, asked for where no row at hand tells; `None` where there is no such group.
    fn is_hidden_now(&self, group: &str) -> Result<Option<bool>, Error> {
        let link = self.run.graph.link(&format!("/groups/{group}?$select=visibility"));
        let properties = [String::from("visibility")];
        let read = self.run.graph.get(&Get { link, advanced: false }, |answer| {
            use serde::de::DeserializeSeed as _;
            let mut json = serde_json::Deserializer::from_slice(answer.body);
            let row = RowSeed { properties: &properties }.deserialize(&mut json).map_err(unreadable)?;
            Ok(is_hidden(row.values[0]))
        });
        match read {
            Ok(hidden) => Ok(Some(hidden)),
            Err(failure) if failure.reason == Reason::Gone => Ok(None),
            Err(failure) => Err(Error::from(failure)),
        }
    }
}
