//! What the numbers of the token service mean to an operator.
//!
//! Microsoft warns that texts and numbers change (`reference-error-codes`): they choose a hint here and tell the few
//! passing failures from mistakes in the configuration, nothing else. Anything that is not in the first group fails at
//! once: repeating a wrong secret only gets the application throttled. The same number asks for different things of an
//! operator who uses a secret and of one who uses a certificate.

/// What the application shows to the token service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A client secret.
    Secret,
    /// An assertion signed by a certificate's key.
    Certificate,
    /// A token of another issuer.
    Federated,
    /// Nothing: the platform vouches for the process.
    Platform,
}

impl Proof {
    /// The keys that decide who is signed in.
    pub(crate) fn keys(self) -> &'static str {
        match self {
            Proof::Secret => "TenantId, ClientId and ClientSecret",
            Proof::Certificate => "TenantId, ClientId and the certificate",
            Proof::Federated => "TenantId, ClientId and the federated credential of the app registration",
            Proof::Platform => "the identity of the Azure resource, and ClientId",
        }
    }
}

/// Whether the same request may succeed in a moment.
pub(crate) fn transient(code: u32) -> bool {
    matches!(code, 90033 | 90090 | 50033 | 90006 | 90012 | 90055)
}

/// What the operator can do about it; `None` where Microsoft's own words must do.
pub(crate) fn hint(code: u32, proof: Proof) -> Option<&'static str> {
    Some(match code {
        7_000_215 => {
            "the client secret is wrong: put the secret's Value into AuthJson, not its Secret ID; the value is shown only \
             once, so create a new secret if it is lost"
        }
        7_000_222 if proof == Proof::Certificate => {
            "the certificate has expired: register a new one on the application and put it, with its key, into AuthJson"
        }
        7_000_222 => {
            "the client secret has expired: create a new one for the app registration and put its Value into AuthJson"
        }
        7_000_216 | 7_000_218 => match proof {
            Proof::Secret => "no client secret reached the token service: check ClientSecret in AuthJson",
            _ => "no signed assertion reached the token service: if a proxy changes requests, let them pass unchanged",
        },
        700_016 | 70001 => {
            "the application is not known in this tenant: check ClientId, TenantId and Cloud; each app registration lives \
             in one cloud"
        }
        7_000_229 | 650_052 => {
            "the application has no service principal in this tenant: have an administrator grant admin consent for it"
        }
        7_000_112 => "the application is disabled in this tenant: enable sign-in of its enterprise application",
        700_027 if proof == Proof::Federated => {
            "the federated token's signature is not accepted: the issuer's keys must be readable from the internet, and the \
             file that TokenFile names must hold its current token"
        }
        700_027 => {
            "the certificate is not registered on the application: upload it in the app registration under Certificates & \
             secrets, and check that ClientId is that application"
        }
        700_024 if proof == Proof::Federated => {
            "the federated token is outside its validity: the platform must renew the file that TokenFile names, and this \
             machine's clock must be right"
        }
        700_024 => "the clock of this machine is wrong: the signed assertion lies outside its validity; set the clock",
        70021 | 700_211 | 700_212 | 700_213 => {
            "the app registration trusts no such federated token: its federated credential must name the token's issuer, \
             subject and audience letter by letter"
        }
        50012 | 50027 if proof == Proof::Federated => {
            "the federated token was not understood: check the file that TokenFile names, ClientId and Cloud"
        }
        50012 | 50027 => {
            "the signed assertion was not understood: check the certificate, ClientId, AuthorityHost and Cloud"
        }
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
