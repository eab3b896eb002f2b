//! Words the tenant is made of, the awkward ones included: quotes, commas, emoji, right-to-left, 4-byte characters.
//!
//! The awkward words stand among the plain ones so that a tenant of twenty objects has some. User principal names are
//! built from the plain words only: Graph does not allow more there.

pub(super) const GIVEN_NAMES: [&str; 32] = [
    "Adele",
    "Alex",
    "Allan",
    "Zoë",
    "Christie",
    "Debra",
    "Diego",
    "Emily",
    "Grady",
    "Henrietta",
    "Irvin",
    "Isaiah",
    "Jean \"JJ\"",
    "Joni",
    "Jordan",
    "李",
    "Lidia",
    "Lynne",
    "Łukasz",
    "Megan",
    "Miriam",
    "Nestor",
    "محمد",
    "Patti",
    "Pradeep",
    "Raul",
    "𠮷野",
    "Søren",
    "שרה",
    "O\\Brian",
    "Ana, Maria",
    "Grace 🌱",
];

pub(super) const SURNAMES: [&str; 24] = [
    "Vance",
    "Wilber",
    "Deyoung",
    "O'Neil",
    "Cline",
    "Berger",
    "Siciliano",
    "Braun",
    "Archie",
    "Mueller",
    "Jovanović",
    "Langer",
    "D'Souza",
    "Sherman",
    "Miller",
    "王",
    "Holloway",
    "Robbins",
    "Ørsted",
    "Bowen",
    "Nuñez",
    "Wilke",
    "\u{202b}الخوارزمي\u{202c}",
    "Smith-Jones, Jr.",
];

/// The part before the at sign, in the order of [`GIVEN_NAMES`].
pub(super) const MAILABLE: [&str; 32] = [
    "adele",
    "alex",
    "allan",
    "zoe",
    "christie",
    "debra",
    "diego",
    "emily",
    "grady",
    "henrietta",
    "irvin",
    "isaiah",
    "jean.jj",
    "joni",
    "jordan",
    "li",
    "lidia",
    "lynne",
    "lukasz",
    "megan",
    "miriam",
    "nestor",
    "mohammed",
    "patti",
    "pradeep",
    "raul",
    "yoshino",
    "soren",
    "sarah",
    "obrian",
    "ana-maria",
    "grace_",
];

pub(super) const JOB_TITLES: [&str; 12] = [
    "Engineer",
    "Account Executive",
    "Nurse",
    "Head of \"Special\" Projects",
    "Assistant; Office",
    "Director, Sales",
    "開発者",
    "Ingénieur qualité",
    "Technician\tII",
    "Analyst 📈",
    "Consultant",
    "Teacher",
];

pub(super) const DEPARTMENTS: [&str; 10] = [
    "Finance",
    "Engineering",
    "Sales & Marketing",
    "Human Resources",
    "R&D",
    "Legal",
    "Operations",
    "IT/Support",
    "Vertrieb Süd",
    "Quality",
];

pub(super) const OFFICES: [&str; 8] =
    ["18/2111", "Building 4, Room 12", "Berlin", "東京", "Zürich HB", "Remote", "12'34\"", "A&B <Main>"];

/// City, state, country, ISO code, preferred language.
pub(super) const PLACES: [(&str, &str, &str, &str, &str); 8] = [
    ("Seattle", "WA", "United States", "US", "en-US"),
    ("Berlin", "BE", "Germany", "DE", "de-DE"),
    ("Zürich", "ZH", "Switzerland", "CH", "de-CH"),
    ("東京", "東京都", "Japan", "JP", "ja-JP"),
    ("São Paulo", "SP", "Brazil", "BR", "pt-BR"),
    ("تونس", "تونس", "Tunisia", "TN", "ar-TN"),
    ("Reykjavík", "", "Iceland", "IS", "is-IS"),
    ("Kyiv", "Kyiv", "Ukraine", "UA", "uk-UA"),
];

pub(super) const TOPICS: [&str; 16] = [
    "Finance",
    "Engineering",
    "Sales",
    "Payroll",
    "VPN",
    "Leadership",
    "O'Neil's Crew",
    "Project \"Aurora\"",
    "Helpdesk",
    "R&D",
    "全社員",
    "الموظفون",
    "Party 🎉🎈",
    "Contractors, external",
    "Facilities",
    "Audit #1",
];

pub(super) const DESCRIPTIONS: [&str; 6] = [
    "Access to the ledger",
    "Everybody who needs it.\nAsk the owner first.",
    "Created by migration; do not edit \\ delete",
    "100 % remote, 50/50 split",
    "مجموعة الاختبار",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 and friends 👩‍👩‍👧",
];

/// One of some words.
pub(super) fn choose<'a>(words: &[&'a str], pick: u64) -> &'a str {
    words.get((pick % words.len().max(1) as u64) as usize).copied().unwrap_or_default()
}
