//! The base groups: every property of group number n, computed from the seed alone.
//!
//! Flavours repeat in a fixed pattern of twenty instead of being drawn, so that even a tenant of twenty groups has
//! security, Microsoft 365, mail-enabled, distribution, dynamic and HiddenMembership groups. Names start with `APP-` (6
//! of 20, the Microsoft 365 groups), `SEC-` (9 of 20; 10 without regard to case), `DYN-` or `DL `, for filters to bite.

use serde_json::json;

use crate::simulator::clock::format_moment;
use crate::simulator::kinds::field::Field;
use crate::simulator::kinds::names::{DESCRIPTIONS, TOPICS, choose};
use crate::simulator::kinds::source::Source;
use crate::simulator::seed::{mix, stream};

/// What sort of group it is; it decides most of its properties and what deleting it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flavour {
    Security,
    Unified,
    HiddenUnified,
    MailEnabledSecurity,
    Distribution,
    DynamicSecurity,
    DynamicUnified,
}

use Flavour::{Distribution, DynamicSecurity, DynamicUnified, HiddenUnified, MailEnabledSecurity, Security, Unified};

const PATTERN: [Flavour; 20] = [
    Security,
    Unified,
    Security,
    MailEnabledSecurity,
    Security,
    HiddenUnified,
    Security,
    Distribution,
    Unified,
    Security,
    DynamicSecurity,
    Unified,
    Security,
    Distribution,
    Security,
    Unified,
    DynamicUnified,
    Security,
    Unified,
    Security,
];

/// The source of group values for one tenant.
pub(super) struct Groups<'a>(pub(super) &'a Source);

impl Groups<'_> {
    fn flavour(&self, number: u32) -> Flavour {
        match PATTERN[(number % 20) as usize] {
            HiddenUnified if !self.0.settings.flag("hiddenMembershipGroups") => Unified,
            flavour => flavour,
        }
    }

    pub(super) fn field(&self, number: u32, property: &str) -> Field {
        let roll = mix(self.0.seed, stream(property) ^ 0x6071, u64::from(number));
        let percent = roll % 100;
        let pick = roll.rotate_left(23);
        let flavour = self.flavour(number);
        let unified = matches!(flavour, Unified | HiddenUnified | DynamicUnified);
        let mail_enabled = unified || matches!(flavour, MailEnabledSecurity | Distribution);
        let dynamic = matches!(flavour, DynamicSecurity | DynamicUnified);
        let synchronised = matches!(flavour, Security | Distribution) && number.is_multiple_of(3);
        match property {
            "displayName" => Field::set(self.display_name(number)),
            "mailNickname" => Field::set(format!("group{number}")),
            "mail" if mail_enabled => Field::set(format!("group{number}@{}", self.0.domain)),
            "proxyAddresses" if mail_enabled => Field::set(json!([format!("SMTP:group{number}@{}", self.0.domain)])),
            "description" => Field::mostly(percent, 55, 10, || json!(choose(&DESCRIPTIONS, pick))),
            "groupTypes" => Field::set(match flavour {
                DynamicUnified => json!(["DynamicMembership", "Unified"]),
                DynamicSecurity => json!(["DynamicMembership"]),
                Unified | HiddenUnified => json!(["Unified"]),
                Security | MailEnabledSecurity | Distribution => json!([]),
            }),
            "securityEnabled" => Field::set(match flavour {
                Distribution => false,
                Unified | HiddenUnified | DynamicUnified => number.is_multiple_of(4),
                Security | MailEnabledSecurity | DynamicSecurity => true,
            }),
            "mailEnabled" => Field::set(mail_enabled),
            "visibility" => match flavour {
                HiddenUnified => Field::set("HiddenMembership"),
                Unified | DynamicUnified => Field::set(if percent < 60 { "Private" } else { "Public" }),
                _ => Field::Never,
            },
            "membershipRule" if dynamic => Field::set(r#"(user.department -eq "R&D") and (user.country -ne null)"#),
            "membershipRuleProcessingState" if dynamic => Field::set("On"),
            "isAssignableToRole" if flavour == Security => Field::mostly(percent, 10, 0, || json!(true)),
            "onPremisesSyncEnabled" if synchronised => Field::set(percent >= 10),
            "onPremisesSamAccountName" if synchronised => Field::set(format!("g{number}")),
            "onPremisesDomainName" if synchronised => Field::set("corp.contoso.com"),
            "onPremisesNetBiosName" if synchronised => Field::set("CORP"),
            "onPremisesLastSyncDateTime" if synchronised => Field::set(format_moment(1_767_000_000 + pick % 1_000_000)),
            "createdDateTime" => Field::set(format_moment(1_577_836_800 + pick % 150_000_000)),
            "renewedDateTime" if unified => Field::set(format_moment(1_727_836_800 + pick % 40_000_000)),
            "expirationDateTime" if unified => Field::mostly(percent, 30, 10, || json!(format_moment(1_900_000_000))),
            "classification" if unified => Field::mostly(percent, 15, 5, || json!("Confidential")),
            "resourceProvisioningOptions" if unified => Field::mostly(percent, 50, 0, || json!(["Team"])),
            "preferredLanguage" => Field::mostly(percent, 10, 2, || json!("en-US")),
            "securityIdentifier" => Field::set(format!("S-1-12-1-{}-{}-{}", pick as u32, (pick >> 32) as u32, number)),
            name if name.ends_with("_costCenter") => {
                Field::mostly(percent, 30, 5, || json!(format!("CC-{}", pick % 900)))
            }
            _ => Field::Never,
        }
    }

    fn display_name(&self, number: u32) -> String {
        let topic = choose(&TOPICS, mix(self.0.seed, stream("topic"), u64::from(number)));
        match self.flavour(number) {
            Security => format!("SEC-{topic}-{number:04}"),
            MailEnabledSecurity => format!("sec-mail {topic} {number}"),
            Distribution => format!("DL {topic} {number}"),
            DynamicSecurity | DynamicUnified => format!("DYN-{topic}-{number:04}"),
            // With hidden memberships among them, so that a filter on a name meets every sort of group.
            Unified | HiddenUnified => format!("APP-{topic}-{number:04}"),
        }
    }
}
