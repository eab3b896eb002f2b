//! Plain tests over the corpus that the engine left: every file, and mutants of them, a bounded number and always the
//! same.
//!
//! Inputs generated from nothing do not get past the first brace, so the mutants are made from inputs that reached far.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use super::{TARGETS, Target};

#[path = "../../../../tests/fuzz/pieces.rs"]
mod pieces;

/// Mutants for each target, and a seed of one's own, by these variables.
const CASES: (&str, u64) = ("CONNECTOR_FUZZ_CASES", 4000);
const SEED: (&str, u64) = ("CONNECTOR_FUZZ_SEED", 1);

/// The longest mutant: a splice of two is longer than both.
const LONGEST: usize = 4096;

fn number((name, default): (&str, u64)) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// The saved inputs, by name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut inputs: Vec<_> = files
        .map(|file| file.unwrap())
        .map(|file| (file.file_name().to_string_lossy().into_owned(), fs::read(file.path()).unwrap()))
        .collect();
    inputs.sort();
    assert!(inputs.len() >= 5, "{} inputs for {target}: this test would prove nothing", inputs.len());
    inputs
}

fn feed(target: &Target, input: &[u8], origin: &str) {
    assert!(
        catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_ok(),
        "{} breaks a promise (above) on {origin}; keep it as a file of tests/fuzz/corpus/{}: {}",
        target.name,
        target.name,
        input.escape_ascii()
    );
}

fn replay(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let inputs = corpus(name);
    for (file, input) in &inputs {
        feed(target, input, file);
    }
    let mut dice = Dice(number(SEED).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for case in 0..number(CASES) {
        feed(target, &mutant(&inputs, &mut dice), &format!("mutant {case}"));
    }
}

/// xorshift64*: the same mutants everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// Below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..(start + 1 + self.below(16)).min(length).max(start)
    }
}

fn mutant(inputs: &[(String, Vec<u8>)], dice: &mut Dice) -> Vec<u8> {
    let pick = |dice: &mut Dice| inputs[dice.below(inputs.len())].1.clone();
    let mut input = pick(dice);
    for _ in 0..=dice.below(3) {
        match dice.below(10) {
            0 if !input.is_empty() => {
                let at = dice.below(input.len());
                input[at] ^= 1 << dice.below(8);
            }
            1 => drop(input.drain(dice.range(input.len()))),
            2 => {
                let (range, at) = (dice.range(input.len()), dice.below(input.len() + 1));
                let copied = input[range].to_vec();
                input.splice(at..at, copied);
            }
            3 => {
                let (other, at) = (pick(dice), dice.range(input.len()));
                let from = dice.range(other.len());
                input.splice(at, other[from].iter().copied());
            }
            4 => {
                let (other, at) = (pick(dice), dice.below(input.len() + 1));
                input.truncate(at);
                input.extend_from_slice(&other[dice.below(other.len() + 1)..]);
            }
            5 => {
                const ODD: [&str; 12] =
                    ["0", "-1", "1e999", "null", "\"", "\\ud800", "ß", "\u{0}", "@", "[[[[[[[[", "{\"\":", "é\u{301}"];
                let at = dice.range(input.len());
                input.splice(at, ODD[dice.below(ODD.len())].bytes());
            }
            7.. => input = pieces::exchange(&input, |end| dice.below(end)),
            _ => {
                let (range, at) = (dice.range(input.len()), dice.below(input.len() + 1));
                let many = input[range].repeat(1 + dice.below(40));
                input.splice(at..at, many);
            }
        }
        input.truncate(LONGEST);
    }
    input
}

macro_rules! replays {
    ($($claim:ident: $target:literal,)*) => {
        $(
            #[test]
            fn $claim() {
                replay($target);
            }
        )*

        #[test]
        fn every_target_is_replayed() {
            let mut names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            let mut replayed = vec![$($target),*];
            names.sort_unstable();
            replayed.sort_unstable();
            assert_eq!(names, replayed);
        }
    };
}

replays! {
    a_config_is_read_alike_twice_and_its_mistakes_point_into_it: "config",
    no_value_of_auth_json_shows: "auth",
    a_watermark_survives_its_text_and_leads_nowhere_else: "watermark",
    a_page_is_read_as_any_parser_reads_it_and_becomes_lines: "page",
    every_read_of_a_batch_has_an_outcome_of_its_own: "batch",
    a_filter_breaks_off_within_itself_or_obeys_logic: "filter",
    a_named_wait_is_kept_or_told_and_never_longer_than_a_day: "retry_after",
    a_followed_link_is_at_home_for_whoever_sends_it: "link",
}

/// The engine's package has a lock file of its own, which nothing else reads: a new dependency here would stop it
/// unnoticed.
#[test]
fn the_engines_lock_file_knows_every_dependency() {
    let read = |path| fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let (manifest, lock) = (read("Cargo.toml"), read("../../tests/fuzz/Cargo.lock"));
    let own = manifest.split("[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let wanted: Vec<&str> = own.lines().filter_map(|line| line.split(['.', ' ']).next()).collect();
    let wanted: Vec<&str> = wanted.into_iter().filter(|name| !name.is_empty() && !name.starts_with('#')).collect();
    let known = lock.split("[[package]]\n").find(|package| package.starts_with("name = \"entra-id-core\"\n")).unwrap();
    let missing: Vec<&&str> = wanted.iter().filter(|name| !known.contains(&format!("\n \"{name}"))).collect();
    assert!(wanted.len() > 10 && missing.is_empty(), "run `cargo metadata` in tests/fuzz, for {missing:?}");
}
