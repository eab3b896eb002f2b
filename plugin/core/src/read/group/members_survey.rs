//! Memberships, surveyed: one page of groups, then the first page of members of some of them.
//!
//! Nobody can count memberships without reading them, so the number is an extrapolation. The same reads answer whether
//! hidden memberships are shown: without `Member.Read.Hidden` such a group answers 200 with no member, exactly as an
//! empty one does, so a member proves the permission and its absence proves nothing.

use serde::Deserialize;

use super::hidden::is_hidden;
use super::scope::{list_query, scope_count};
use crate::config::Config;
use crate::graph::{self, Get, Graph, LARGEST_BATCH, Unreadable};
use crate::model::{Page, RowSeed};
use crate::read::survey::{Finding, Further, Size, Survey, pages};
use crate::sync::unreadable;

/// Groups looked at, of each sort: what one batch holds.
const SAMPLE: usize = LARGEST_BATCH;

#[derive(Deserialize)]
struct Members {
    #[serde(rename = "@odata.count", default)]
    count: Option<u64>,
    value: Vec<serde::de::IgnoredAny>,
}

/// The groups of one page of the list.
struct Listed {
    open: Vec<String>,
    hidden: Vec<String>,
    more: bool,
}

/// `follows`: they come with the groups feed, and cost no requests of their own.
pub(super) fn survey(graph: &Graph, config: &Config, follows: bool) -> Result<Survey, graph::Error> {
    let scope = scope_count(graph, config)?;
    let listed = list(graph, config)?;
    let open = some_of(&listed.open);
    let hidden = some_of(&listed.hidden);
    let counts = members(graph, &open)?;
    let shown = members(graph, &hidden)?;
    let batches = [&open, &hidden].iter().filter(|some| !some.is_empty()).count() as u64;
    let groups = scope.unwrap_or((listed.open.len() + listed.hidden.len()) as u64);
    let page = u64::from(config.page_size);
    let sampled = (counts.len() + shown.len()) as u64;
    let of_all =
        |what: &dyn Fn(u64) -> u64| extrapolated(groups, [(&listed.open, &counts), (&listed.hidden, &shown)], what);
    let objects = (sampled > 0).then(|| of_all(&|count| count));
    // A group above a page is read in several.
    let reads_of_members = of_all(&|count| pages(count, page)).max(groups);
    let lists = pages(groups, page);
    // Pages of one group follow one another, so the largest group is a chain of its own.
    let longest = counts.iter().chain(&shown).map(|count| pages(*count, page)).max().unwrap_or(0);
    let batches_of_members = reads_of_members.div_ceil(SAMPLE as u64).max(longest);
    let size = Size {
        objects: if groups == 0 { Some(0) } else { objects },
        sampled: objects.map(|_| format!("by {sampled} of {groups} groups")),
        requests: if follows { 0 } else { lists + batches_of_members },
        // Batches that follow one another are only as full as the readers happen to leave them.
        at_least: scope.is_none() || objects.is_none() && groups > 0 || longest > 1 && groups > SAMPLE as u64,
        lanes: config.max_concurrency as u64,
        // A read of members costs two units with `$select`, in a batch or alone.
        units: if follows { 0 } else { lists + 2 * reads_of_members },
        reads: 2 + batches,
    };
    let finding = hidden_finding(&listed, &shown);
    Ok(Survey { size, further: vec![Further { permission: "Member.Read.Hidden", finding }] })
}

/// What the groups of each sort come to, the listed ones of it and the counts of some of them, if all `groups` are of
/// these sorts as those of the list are.
fn extrapolated(groups: u64, sorts: [(&Vec<String>, &Vec<u64>); 2], what: &dyn Fn(u64) -> u64) -> u64 {
    let listed: usize = sorts.iter().map(|(listed, _)| listed.len()).sum();
    let of_sort = |(of_sort, counts): &(&Vec<String>, &Vec<u64>)| {
        let all = times(groups, of_sort.len() as u64, listed as u64);
        times(counts.iter().map(|count| what(*count)).sum(), all, counts.len() as u64)
    };
    sorts.iter().map(of_sort).sum()
}

fn times(sum: u64, all: u64, some: u64) -> u64 {
    u64::try_from(u128::from(sum) * u128::from(all) / u128::from(some.max(1))).unwrap_or(u64::MAX)
}

fn hidden_finding(listed: &Listed, shown: &[u64]) -> Finding {
    let groups = listed.open.len() + listed.hidden.len();
    let hidden = listed.hidden.len();
    if shown.iter().any(|members| *members > 0) {
        Finding::Granted(format!("members of a group with hidden membership were shown ({hidden} such groups seen)"))
    } else if hidden > 0 {
        Finding::Unclear(format!(
            "groups that hide their membership show no member (seen: {hidden}): they are empty, or the permission is missing; \
             Graph does not say which. Their memberships stay as they are in the engine"
        ))
    } else if listed.more {
        Finding::Unclear(format!("none of the first {groups} groups hides its membership; others may"))
    } else {
        Finding::NotNeeded(format!("none of the {groups} groups in scope hides its membership"))
    }
}

fn list(graph: &Graph, config: &Config) -> Result<Listed, graph::Error> {
    let (query, advanced) = list_query(config, "id,visibility", config.page_size);
    graph.get(&Get { link: graph.link(&query), advanced }, |answer| {
        let properties = [String::from("visibility")];
        let page = Page::read(answer.body, RowSeed { properties: &properties }).map_err(unreadable)?;
        let mut listed = Listed { open: Vec::new(), hidden: Vec::new(), more: page.links.next.is_some() };
        for row in &page.rows {
            let Some(id) = row.id.as_deref() else { continue };
            let of = if is_hidden(row.values[0]) { &mut listed.hidden } else { &mut listed.open };
            of.push(id.to_owned());
        }
        Ok(listed)
    })
}

/// At most a batch of them, from all over the page: lists are in no order, but neighbours may be of one kind.
fn some_of(groups: &[String]) -> Vec<&String> {
    groups.iter().step_by(groups.len().div_ceil(SAMPLE).max(1)).collect()
}

/// How many members each has. A group that cannot be read says nothing about the others, and is left out.
fn members(graph: &Graph, groups: &[&String]) -> Result<Vec<u64>, graph::Error> {
    let request = |group: &&String| Get {
        link: graph.link(&format!("/groups/{group}/members?$select=id&$top=1&$count=true")),
        advanced: true,
    };
    let requests: Vec<Get> = groups.iter().map(request).collect();
    if requests.is_empty() {
        return Ok(Vec::new());
    }
    let answers = graph.batch(&requests, |_, answer| {
        let members: Members = serde_json::from_slice(answer.body).map_err(|e| Unreadable(e.to_string()))?;
        Ok(members.count.unwrap_or(members.value.len() as u64))
    })?;
    Ok(answers.into_iter().filter_map(Result::ok).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_never_exceeds_a_batch_and_spans_the_page() {
        for count in [0, 1, 19, 20, 21, 39, 40, 41, 999] {
            let groups: Vec<String> = (0..count).map(|n: usize| n.to_string()).collect();
            let some = some_of(&groups);
            assert!(some.len() <= SAMPLE && some.is_empty() == groups.is_empty(), "{count}");
            assert!(some.len() >= count.min(SAMPLE / 2), "{count}");
        }
    }

    #[test]
    fn groups_that_hide_their_members_count_as_well() {
        let ids = |count| vec![String::new(); count];
        let all = |groups, open: (usize, Vec<u64>), hidden: (usize, Vec<u64>)| {
            extrapolated(groups, [(&ids(open.0), &open.1), (&ids(hidden.0), &hidden.1)], &|count| count)
        };
        assert_eq!(all(3, (2, vec![5, 7]), (1, vec![100])), 112, "all of them were read");
        assert_eq!(all(30, (8, vec![10, 10]), (2, vec![5])), 270, "24 of 10 and 6 of 5");
        assert_eq!(all(10, (10, vec![3]), (0, vec![])), 30);
        assert_eq!(all(0, (0, vec![]), (0, vec![])), 0);
    }

    #[test]
    fn only_a_member_proves_the_permission_for_hidden_ones() {
        let listed = |hidden: usize, more| Listed { open: vec![], hidden: vec![String::new(); hidden], more };
        assert!(matches!(hidden_finding(&listed(2, true), &[0, 3]), Finding::Granted(_)));
        assert!(matches!(hidden_finding(&listed(2, false), &[0, 0]), Finding::Unclear(_)));
        assert!(matches!(hidden_finding(&listed(0, true), &[]), Finding::Unclear(_)));
        assert!(matches!(hidden_finding(&listed(0, false), &[]), Finding::NotNeeded(_)));
    }
}
