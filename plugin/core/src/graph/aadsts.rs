//! What the numbers of the token service mean to an operator.
//!
//! Microsoft warns that texts and numbers change (`reference-error-codes`): they choose a hint here and tell the few
//! passing failures from mistakes in the configuration, nothing else. Anything that is not in the first group fails at
//! once: repeating a wrong secret only gets the application throttled.

/// Whether the same request may succeed in a moment.
pub(crate) fn transient(code: u32) -> bool {
    matches!(code, 90033 | 90090 | 50033 | 90006 | 90012 | 90055)
}

/// What the operator can do about it; `None` where Microsoft's own words must do.
pub(crate) fn hint(code: u32) -> Option<&'static str> {
    Some(match code {
        7_000_215 => {
            "the client secret is wrong: put the secret's Value into AuthJson, not its Secret ID; the value is shown only \
             once, so create a new secret if it is lost"
        }
        7_000_222 => {
            "the client secret has expired: create a new one for the app registration and put its Value into AuthJson"
        }
        7_000_216 | 7_000_218 => "no client secret reached the token service: check ClientSecret in AuthJson",
        700_016 | 70001 => {
            "the application is not known in this tenant: check ClientId, TenantId and Cloud; each app registration lives \
             in one cloud"
        }
        7_000_229 | 650_052 => {
            "the application has no service principal in this tenant: have an administrator grant admin consent for it"
        }
        7_000_112 => "the application is disabled in this tenant: enable sign-in of its enterprise application",
        700_027 => "the certificate is not registered on the application: upload it to the app registration",
        700_024 => "the clock of this machine is wrong: the signed request lies outside its validity",
        50012 | 50027 => "the signed request was not understood: check certificate, ClientId and Cloud",
        90002 => "the tenant was not found: check TenantId, and Cloud: a tenant of another cloud is unknown here",
        900_023 | 50059 | 900_144 => "TenantId is neither a directory id nor a verified domain of a tenant",
        70011 | 1_002_012 => {
            "the scope is not accepted: GraphScope must be the Graph origin of this cloud with /.default behind it"
        }
        500_011 | 650_057 => {
            "Microsoft Graph is not known under this name in the tenant: check Cloud, GraphEndpoint and GraphScope"
        }
        53003 => {
            "a Conditional Access policy for workload identities blocks the application: allow this machine's address"
        }
        90038 => "the tenant lives in a national cloud: set Cloud to it",
        90055 => "the token service throttles this tenant: run again later",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_in_the_configuration_are_never_repeated() {
        for code in [7_000_215, 7_000_222, 700_016, 90002, 900_023, 70011, 1_002_012, 500_011, 53003, 7_000_229] {
            assert!(!transient(code), "{code}");
            assert!(hint(code).is_some(), "{code}");
        }
    }

    #[test]
    fn hints_are_for_operators() {
        assert!(hint(7_000_215).unwrap().contains("Secret ID"));
        assert!(hint(7_000_222).unwrap().contains("expired"));
        assert!(hint(90002).unwrap().contains("Cloud"));
        assert!(hint(1).is_none());
    }
}
