//! The known word that a misspelt one most likely meant.
//!
//! Silence is better than a wrong guess: a third of the letters may differ, no more.

/// The word among `known` nearest to `word`, if one is near.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The distance takes the product of both lengths, and a key can be megabytes long.
    if word.len() > 64 {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    let distance = |candidate: &str| {
        let candidate = candidate.to_ascii_lowercase();
        // Half a name is a good hint, but a whole one with typing errors is a better one.
        let contained = lower.len() >= 4 && candidate.contains(&lower);
        let typed = strsim::osa_distance(&lower, &candidate);
        if typed <= (lower.len() / 3).max(1) { Some(typed) } else { contained.then_some(usize::MAX) }
    };
    let near = known.into_iter().filter_map(|candidate| Some((distance(candidate)?, candidate)));
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 4] = ["TenantId", "PageSize", "ImportUsers", "ImportGroups"];

    #[test]
    fn another_case_is_nearest_of_all() {
        assert_eq!(nearest("pagesize", KEYS), Some("PageSize"));
    }

    #[test]
    fn swapped_and_missing_letters_are_found() {
        assert_eq!(nearest("PageSzie", KEYS), Some("PageSize"));
        assert_eq!(nearest("ImportUser", KEYS), Some("ImportUsers"));
    }

    #[test]
    fn a_part_of_a_name_is_found() {
        assert_eq!(nearest("Tenant", KEYS), Some("TenantId"));
        assert_eq!(nearest("Groups", KEYS), Some("ImportGroups"));
    }

    #[test]
    fn a_foreign_word_has_no_nearest() {
        assert_eq!(nearest("LogLevel", KEYS), None);
        assert_eq!(nearest("x", KEYS), None);
        assert_eq!(nearest(&"PageSize".repeat(1 << 20), KEYS), None);
    }
}
