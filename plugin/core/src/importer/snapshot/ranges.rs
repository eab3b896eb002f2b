//! Ranges of names: what is asked to find them, and where they are cut.
//!
//! A cut is at the name of an object that exists, found by one small request: the last name before a guess, and how many
//! come before it. Both parts include it. A newcomer would cut between names, and lose whoever Graph sorts by rules that
//! are not ours; or would trust the guess, and have a range of everybody whose name begins alike.

use serde::Deserialize;

use super::Listed;
use super::between::between;
use crate::config::Config;
use crate::graph::{self, Get, Graph, Unreadable, query_value};

/// Pages of a range that is not worth cutting.
const PAGES: u64 = 3;

/// Ranges for each thread, about: enough that none waits long for the last one, few enough that cutting costs little.
const RANGES: u64 = 3;

/// Guesses for one cut.
const GUESSES: usize = 12;

/// Objects of a range that is not cut any more.
pub(super) fn enough(objects: u64, config: &Config) -> u64 {
    let ranges = RANGES * config.max_concurrency as u64;
    (objects / ranges.max(1)).max(u64::from(config.page_size) * PAGES).max(1)
}

/// A part of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    /// From this name on; `None`: from the first.
    pub(super) low: Option<String>,
    /// Up to and with this name; `None`: to the last.
    pub(super) high: Option<String>,
    /// How many objects, about.
    pub(super) count: u64,
    /// Names of its first and last object.
    first: String,
    last: String,
}

impl Range {
    /// The query option that asks for it, and its separator; nothing where the range is everything.
    pub(super) fn filter(&self, name: &str) -> String {
        filter(name, self.low.as_deref(), self.high.as_deref())
    }
}

fn filter(name: &str, low: Option<&str>, high: Option<&str>) -> String {
    let bound = |operator, bound: &str| format!("{name} {operator} '{}'", bound.replace('\'', "''"));
    let bounds = [low.map(|low| bound("ge", low)), high.map(|high| bound("le", high))];
    let bounds: Vec<_> = bounds.into_iter().flatten().collect();
    if bounds.is_empty() { String::new() } else { format!("$filter={}&", query_value(&bounds.join(" and "))) }
}

/// Asks Graph about names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) graph: &'a Graph,
    pub(super) listed: Listed,
}

/// What a range holds, and the name at its end.
type End = Option<(u64, String)>;

impl Names<'_> {
    /// Everything; `None` where nothing is there or Graph does not count it.
    pub(super) fn whole(&self) -> Result<Option<Range>, graph::Error> {
        let Some((count, first)) = self.end(None, None, false)? else { return Ok(None) };
        let Some((_, last)) = self.end(None, None, true)? else { return Ok(None) };
        Ok(Some(Range { low: None, high: None, count, first, last }))
    }

    /// Two parts that are the range, touching at a name; `None` where it cannot be cut.
    pub(super) fn cut(&self, range: &Range) -> Result<Option<(Range, Range)>, graph::Error> {
        cut(range, |guess, side| match side {
            Side::Before => self.end(range.low.as_deref(), Some(guess), true),
            Side::Behind => self.end(Some(guess), range.high.as_deref(), false),
        })
    }

    /// How many objects there are between two names, and the first or last name among them.
    fn end(&self, low: Option<&str>, high: Option<&str>, last: bool) -> Result<End, graph::Error> {
        let Listed { path, name } = self.listed;
        let order = if last { "%20desc" } else { "" };
        let query =
            format!("{path}?{}$select={name}&$orderby={name}{order}&$top=1&$count=true", filter(name, low, high));
        self.graph.get(&Get { link: self.graph.link(&query), advanced: true }, |answer| {
            let found: Found = serde_json::from_slice(answer.body).map_err(|e| Unreadable(e.to_string()))?;
            let end = found.value.into_iter().next().and_then(|row| row.get(name)?.as_str().map(str::to_owned));
            Ok(found.count.zip(end))
        })
    }
}

#[derive(Deserialize)]
struct Found {
    #[serde(rename = "@odata.count", default)]
    count: Option<u64>,
    value: Vec<serde_json::Map<String, serde_json::Value>>,
}

/// Which side of a guess is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// How many come up to it, and the last of their names.
    Before,
    /// The first name from it on.
    Behind,
}

/// Looks for a name with a quarter of the objects at least on either side, and takes the best it found.
fn cut<E>(range: &Range, mut ask: impl FnMut(&str, Side) -> Result<End, E>) -> Result<Option<(Range, Range)>, E> {
    let (mut low, mut high) = (range.first.clone(), range.last.clone());
    let mut best: End = None;
    for _ in 0..GUESSES {
        let Some(guess) = between(&low, &high) else { break };
        let Some((before, name)) = ask(&guess, Side::Before)? else { break };
        let off = |count: u64| count.abs_diff(range.count / 2);
        // With less than two before it, the part behind would be the whole again.
        if before > 1 && name != range.last && best.as_ref().is_none_or(|(known, _)| off(before) < off(*known)) {
            best = Some((before, name.clone()));
        }
        if before * 4 < range.count {
            // Whoever comes next shows where the crowd begins, which guesses alone would only creep up to.
            let next = ask(&guess, Side::Behind)?.map(|(_, name)| name);
            low = next.filter(|name| *name > guess && *name < high).unwrap_or(guess);
        } else if before * 4 > range.count * 3 {
            high = if name < high { name } else { guess };
        } else {
            break;
        }
    }
    Ok(best.map(|(before, name)| {
        let left = Range { high: Some(name.clone()), count: before, last: name.clone(), ..range.clone() };
        let count = range.count.saturating_sub(before) + 1;
        (left, Range { low: Some(name.clone()), count, first: name, ..range.clone() })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cuts until nothing is left to cut; answers the ranges and the requests it took.
    fn cut_up(names: &[String], enough: u64) -> (Vec<Range>, usize) {
        let whole = Range {
            low: None,
            high: None,
            count: names.len() as u64,
            first: names[0].clone(),
            last: names[names.len() - 1].clone(),
        };
        let (mut done, mut open, mut asked) = (Vec::new(), vec![whole], 0);
        while let Some(range) = open.pop() {
            if range.count <= enough {
                done.push(range);
                continue;
            }
            let parts = cut(&range, |guess, side| -> Result<End, ()> {
                asked += 1;
                assert!(asked < 10_000, "a range is cut for ever");
                let (low, high) = (range.low.clone().unwrap_or_default(), range.high.clone());
                let mut inside = names.iter().filter(|name| **name >= low && high.as_ref().is_none_or(|h| *name <= h));
                Ok(match side {
                    Side::Before => {
                        let before: Vec<_> = inside.filter(|name| name.as_str() <= guess).collect();
                        before.last().map(|last| (before.len() as u64, (*last).clone()))
                    }
                    Side::Behind => inside.find(|name| name.as_str() >= guess).map(|first| (1, first.clone())),
                })
            });
            match parts.unwrap() {
                Some((left, right)) => open.extend([right, left]),
                None => done.push(range),
            }
        }
        (done, asked)
    }

    fn largest(ranges: &[Range]) -> u64 {
        ranges.iter().map(|range| range.count).max().unwrap_or_default()
    }

    #[test]
    fn names_that_begin_alike_are_cut_evenly_by_few_requests() {
        let names: Vec<_> = (0..6_000).map(|n| format!("user{n:06}@contoso.com")).collect();
        let (ranges, asked) = cut_up(&names, 300);
        assert!(largest(&ranges) <= 300 && ranges.len() < 60, "{} of {}", ranges.len(), largest(&ranges));
        assert!(asked < ranges.len() * 6, "{asked} requests for {} ranges", ranges.len());
    }

    #[test]
    fn a_crowd_in_one_corner_is_found() {
        let mut names: Vec<_> = (0..4_000).map(|n| format!("svc-backup-{n:05}@contoso.com")).collect();
        names.extend(('a'..='z').map(|c| format!("{c}@contoso.com")));
        names.sort();
        assert!(largest(&cut_up(&names, 500).0) <= 500);
    }

    #[test]
    fn objects_of_one_name_stay_in_one_range() {
        let mut names = vec!["team".to_owned(); 5000];
        names.insert(0, "alpha".to_owned());
        names.push("zulu".to_owned());
        let (ranges, _) = cut_up(&names, 1000);
        assert!(ranges.iter().any(|range| range.count >= 5000), "{ranges:?}");
    }

    #[test]
    fn neighbouring_ranges_touch_and_the_outer_ones_are_open() {
        let names: Vec<_> = (0..5_000).map(|n| format!("u{n:05}")).collect();
        let (ranges, _) = cut_up(&names, 500);
        let mut by_low = ranges.clone();
        by_low.sort_by(|a, b| a.low.cmp(&b.low));
        assert!(by_low[0].low.is_none() && by_low[by_low.len() - 1].high.is_none());
        assert!(by_low.windows(2).all(|two| two[0].high == two[1].low), "{by_low:?}");
    }

    #[test]
    fn a_quote_in_a_name_is_doubled() {
        assert_eq!(filter("displayName", Some("O'Neil"), None), "$filter=displayName%20ge%20'O''Neil'&");
        assert_eq!(filter("displayName", None, None), "");
    }
}
