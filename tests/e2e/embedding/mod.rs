//! `docs/embedding.md` is what an engine developer builds from: its samples are the tested ones, its SQL keeps the
//! rules.

mod page; // samples, statuses, life cycle and links against the source
mod rules; // the statements of the page, rule by rule
mod store; // the statements of the page, run on the records of real runs

const PAGE: &str = include_str!("../../../docs/embedding.md");
