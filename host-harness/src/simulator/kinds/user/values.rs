//! The base users: every property of user number n, computed from the seed alone.
//!
//! Three answers are possible and they differ on the wire: a value, cleared (null in a delta row), never set (absent in
//! a delta row). Lists show both of the latter as null.

use serde_json::{Value, json};

use crate::simulator::clock::format_moment;
use crate::simulator::kinds::field::Field;
use crate::simulator::kinds::names::{
    DEPARTMENTS, GIVEN_NAMES, JOB_TITLES, MAILABLE, OFFICES, PLACES, SURNAMES, choose,
};
use crate::simulator::kinds::source::Source;
use crate::simulator::seed::{mix, stream};

/// The source of user values for one tenant.
pub(super) struct Users<'a>(pub(super) &'a Source);

/// The seconds of 2020-01-01, the oldest moment in the tenant.
const EARLIEST: u64 = 1_577_836_800;

impl Users<'_> {
    pub(super) fn field(&self, number: u32, property: &str) -> Field {
        let roll = |purpose: &str| mix(self.0.seed, stream(purpose), u64::from(number));
        let percent = roll(property) % 100;
        // Mail and the like are always decided by one roll of their own; a value derived from it uses another stream.
        let pick = roll("pick") ^ roll(property).rotate_left(17);
        match property {
            "displayName" => Field::set(self.display_name(number)),
            "userPrincipalName" => Field::set(self.principal_name(number)),
            "givenName" => Field::mostly(percent, 92, 3, || json!(GIVEN_NAMES[self.given(number)])),
            "surname" => Field::mostly(percent, 95, 2, || json!(SURNAMES[self.family(number)])),
            "mail" => Field::mostly(percent, 84, 4, || json!(self.mail(number))),
            "mailNickname" => Field::set(format!("{}{number}", MAILABLE[self.given(number)])),
            "jobTitle" => Field::mostly(percent, 70, 8, || json!(choose(&JOB_TITLES, pick))),
            "department" => Field::mostly(percent, 80, 6, || json!(choose(&DEPARTMENTS, pick))),
            "companyName" => Field::mostly(percent, 40, 5, || json!("Contoso")),
            "officeLocation" => Field::mostly(percent, 60, 6, || json!(choose(&OFFICES, pick))),
            "mobilePhone" => Field::mostly(percent, 50, 8, || json!(phone(pick))),
            "businessPhones" => Field::mostly(percent, 62, 10, || phones(pick)),
            "accountEnabled" => Field::set(percent < 93),
            "userType" => {
                Field::mostly(percent, 98, 0, || json!(if self.is_guest(number) { "Guest" } else { "Member" }))
            }
            "usageLocation" => Field::mostly(percent, 75, 4, || json!(self.place(number).3)),
            "city" => Field::mostly(percent, 80, 4, || json!(self.place(number).0)),
            "state" => Field::mostly(percent, 60, 4, || json!(self.place(number).1)),
            "country" => Field::mostly(percent, 80, 4, || json!(self.place(number).2)),
            "preferredLanguage" => Field::mostly(percent, 40, 4, || json!(self.place(number).4)),
            "postalCode" => Field::mostly(percent, 50, 0, || json!(format!("{:05}", pick % 100_000))),
            "streetAddress" => {
                Field::mostly(percent, 40, 3, || json!(format!("{} Main St., Apt. \"{}\"", pick % 999, pick % 9)))
            }
            "employeeId" => Field::mostly(percent, 66, 5, || json!(format!("E{number:07}"))),
            "employeeType" => {
                Field::mostly(percent, 45, 5, || json!(choose(&["Employee", "Contractor", "Intern"], pick)))
            }
            "employeeHireDate" => Field::mostly(percent, 45, 3, || json!(format_moment(EARLIEST + pick % 150_000_000))),
            "createdDateTime" => Field::set(format_moment(EARLIEST + pick % 150_000_000)),
            "lastPasswordChangeDateTime" | "signInSessionsValidFromDateTime" => {
                Field::mostly(percent, 90, 0, || json!(format_moment(EARLIEST + 150_000_000 + pick % 40_000_000)))
            }
            "creationType" if self.is_guest(number) => Field::set("Invitation"),
            "externalUserState" if self.is_guest(number) => {
                Field::set(choose(&["Accepted", "PendingAcceptance"], pick))
            }
            "onPremisesSyncEnabled" if self.is_synchronised(number) => Field::set(true),
            "onPremisesSyncEnabled" => Field::mostly(percent, 4, 0, || json!(false)),
            "onPremisesSamAccountName" if self.is_synchronised(number) => Field::set(format!("u{number}")),
            "onPremisesImmutableId" if self.is_synchronised(number) => Field::set(format!("{pick:016x}==")),
            "onPremisesDomainName" if self.is_synchronised(number) => Field::set("corp.contoso.com"),
            "onPremisesUserPrincipalName" if self.is_synchronised(number) => {
                Field::set(format!("u{number}@corp.contoso.com"))
            }
            "onPremisesDistinguishedName" if self.is_synchronised(number) => {
                Field::set(format!("CN=u{number},OU=Staff\\, Central,DC=corp,DC=contoso,DC=com"))
            }
            "onPremisesLastSyncDateTime" if self.is_synchronised(number) => {
                Field::set(format_moment(EARLIEST + 190_000_000 + pick % 1_000_000))
            }
            "onPremisesExtensionAttributes" => Field::mostly(percent, 50, 0, || extension_attributes(pick)),
            "proxyAddresses" => Field::mostly(percent, 80, 5, || {
                json!([format!("SMTP:{}", self.mail(number)), format!("smtp:u{number}@{}", self.0.domain)])
            }),
            "otherMails" => Field::mostly(percent, 25, 5, || {
                json!([format!("{}{number}@example.com", MAILABLE[self.given(number)])])
            }),
            "securityIdentifier" => Field::set(format!("S-1-12-1-{}-{}-{}", pick as u32, (pick >> 32) as u32, number)),
            "identities" => Field::set(json!([{
                "signInType": "userPrincipalName", "issuer": self.0.domain, "issuerAssignedId": self.principal_name(number)
            }])),
            "assignedLicenses" => Field::mostly(
                percent,
                70,
                5,
                || json!([{"disabledPlans": [], "skuId": self.0.ids.other(stream("sku"), pick % 4)}]),
            ),
            "passwordPolicies" => Field::mostly(percent, 20, 0, || json!("DisablePasswordExpiration")),
            name if name.ends_with("_costCenter") => {
                Field::mostly(percent, 60, 5, || json!(format!("CC-{}", pick % 900)))
            }
            name if name.ends_with("_badge") => Field::mostly(percent, 30, 5, || json!(format!("{:08X}", pick as u32))),
            name if name.ends_with("_isContractor") => Field::mostly(percent, 40, 0, || json!(pick % 2 == 0)),
            name if name.ends_with("_projects") => {
                Field::mostly(percent, 20, 5, || json!(["Aurora", "Borealis, phase 2"]))
            }
            _ => Field::Never,
        }
    }

    fn is_guest(&self, number: u32) -> bool {
        mix(self.0.seed, stream("guest"), u64::from(number)) % 100 < 6
    }

    fn is_synchronised(&self, number: u32) -> bool {
        !self.is_guest(number) && mix(self.0.seed, stream("synchronised"), u64::from(number)) % 100 < 40
    }

    fn given(&self, number: u32) -> usize {
        (mix(self.0.seed, stream("given"), u64::from(number)) % GIVEN_NAMES.len() as u64) as usize
    }

    fn family(&self, number: u32) -> usize {
        (mix(self.0.seed, stream("family"), u64::from(number)) % SURNAMES.len() as u64) as usize
    }

    fn place(&self, number: u32) -> (&'static str, &'static str, &'static str, &'static str, &'static str) {
        PLACES[(mix(self.0.seed, stream("place"), u64::from(number)) % PLACES.len() as u64) as usize]
    }

    fn display_name(&self, number: u32) -> String {
        format!("{} {}", GIVEN_NAMES[self.given(number)], SURNAMES[self.family(number)])
    }

    fn principal_name(&self, number: u32) -> String {
        let name = MAILABLE[self.given(number)];
        if self.is_guest(number) {
            format!("{name}{number}_example.com#EXT#@{}", self.0.domain)
        } else {
            format!("{name}{number}@{}", self.0.domain)
        }
    }

    fn mail(&self, number: u32) -> String {
        let name = MAILABLE[self.given(number)];
        if self.is_guest(number) {
            format!("{name}{number}@example.com")
        } else {
            format!("{name}{number}@{}", self.0.domain)
        }
    }
}

/// Every fifth number carries the comma that breaks naive joins.
fn phone(pick: u64) -> String {
    let number = format!("+1 425 555 {:04}", pick % 10_000);
    if pick.is_multiple_of(5) { format!("{number}, ext. {}", pick % 97) } else { number }
}

fn phones(pick: u64) -> Value {
    let count = 1 + (pick >> 20) % 3;
    (0..count).map(|nth| phone(pick.rotate_left(7 * nth as u32))).collect()
}

fn extension_attributes(pick: u64) -> Value {
    (1..=15_u32)
        .map(|nth| {
            let value = if (pick >> nth).trailing_zeros() >= 2 {
                json!(format!("attribute {}", pick % 50))
            } else {
                Value::Null
            };
            (format!("extensionAttribute{nth}"), value)
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}
