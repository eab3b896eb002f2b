//! Each way to fail has its own row, its remedy, and leaves the other rows alone; a cancel ends all of it.

use super::*;

#[test]
fn a_missing_permission_fails_its_row_and_names_the_step_that_mends_it() {
    let mut world = World::gentle();
    world.permissions.revoke("GroupMember.Read.All");
    let tenant = Tenant::of(world);
    let checked = tenant.check();
    assert_eq!((checked.status, checked.result["Outcome"].as_str()), (CONNECTOR_END_PARTIAL, Some("Partial")));
    let failed = row(&checked, Some("Group"), "Permission");
    assert_eq!((&failed["Outcome"], &failed["Permission"]), (&json!("Failed"), &json!("GroupMember.Read.All")));
    says(failed, "Remedy", "add GroupMember.Read.All, then press Grant admin consent");
    says(failed, "Remedy", &tenant.sim.client_id());
    assert!(failed["RequestId"].is_string());
    assert_eq!(row(&checked, Some("Group"), "Size")["Outcome"], "Skipped");
    assert_eq!(row(&checked, Some("User"), "Permission")["Outcome"], "Passed");
}

#[test]
fn a_token_without_roles_passes_the_token_and_fails_the_reads() {
    let tenant = Tenant::of(World { sign_in: SignIn { without_roles: true, ..SignIn::default() }, ..World::gentle() });
    let checked = tenant.check();
    assert_eq!(step(&checked, None, "Token")[0]["Outcome"], "Passed");
    for object_type in ["User", "Group", "GroupMember"] {
        assert_eq!(row(&checked, Some(object_type), "Permission")["Outcome"], "Failed");
    }
}

#[test]
fn a_refused_secret_is_a_failed_row_and_skips_the_rest() {
    let checked = Tenant::small().with_auth("ClientSecret", "wrong").check();
    assert_eq!(checked.status, CONNECTOR_END_PARTIAL);
    let outcomes: Vec<_> = checked.records.iter().map(|r| r["Outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["Failed", "Skipped", "Skipped", "Skipped"]);
    says(&checked.records[0], "Message", "AADSTS7000215");
    says(&checked.records[0], "Remedy", "Certificates & secrets, New client secret; put its Value");
}

#[test]
fn each_failure_names_its_own_step() {
    let refused = |status: u16, code: &str| FaultAction::Status {
        code: status,
        body: FaultBody::GraphError { code: code.into(), message: "words of Graph".into() },
        headers: [("Retry-After".to_owned(), "7".to_owned())].into(),
    };
    let token = |tenant: Tenant, words: &str| {
        let checked = tenant.with("MaxRetries", 0).check();
        says(row(&checked, None, "Token"), "Remedy", words);
        assert_eq!(checked.status, CONNECTOR_END_PARTIAL);
    };
    let expired = World { sign_in: SignIn { secret_expired: true, ..SignIn::default() }, ..World::gentle() };
    token(Tenant::of(expired), "New client secret");
    token(
        Tenant::small().with("TenantId", "00000000-0000-4000-8000-000000000009"),
        "set Cloud to the cloud the tenant lives in",
    );
    token(
        Tenant::small().with_auth("ClientId", "00000000-0000-4000-8000-000000000009"),
        "compare Application (client) ID with ClientId (application 00000000-0000-4000-8000-000000000009)",
    );
    token(Tenant::small().with("AuthorityHost", "http://127.0.0.1:1"), "let this machine reach http://127.0.0.1:1");

    let read = |tenant: Tenant, object_type: &str, fault: Option<FaultAction>, words: &str| {
        let route = if object_type == "User" { Route::USERS_LIST } else { Route::GROUPS_LIST };
        if let Some(action) = fault {
            tenant.sim.add_fault(Fault::always(route, action));
        }
        let checked = tenant.with("MaxRetries", 0).check();
        let failed = row(&checked, Some(object_type), "Permission");
        assert_eq!(failed["Outcome"], "Failed");
        says(failed, "Remedy", words);
    };
    read(Tenant::small(), "User", Some(refused(429, "TooManyRequests")), "wait 7 s and check again");
    read(Tenant::small(), "User", Some(FaultAction::status(503)), "quote the request id");
    read(
        Tenant::small(),
        "User",
        Some(FaultAction::status(302)),
        "set GraphEndpoint to the origin that answers by itself",
    );
    read(
        Tenant::small(),
        "User",
        Some(FaultAction::InvalidToken),
        "Cloud, GraphEndpoint and GraphScope name one cloud",
    );
    read(Tenant::small().with("GraphEndpoint", "http://127.0.0.1:1"), "User", None, "let this machine reach");
    read(
        Tenant::small().with("GroupSelectionFilter", "contains(displayName,'x')"),
        "Group",
        None,
        "correct GroupSelectionFilter",
    );
    read(
        Tenant::small().with("UserAttributes", json!(["extension_0123456789abcdef0123456789abcdef_missing"])),
        "User",
        Some(FaultAction::status(400)),
        "correct UserAttributes",
    );
}

#[test]
fn a_licence_error_fails_the_licence_and_not_the_permission() {
    for (status, code) in
        [(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant"), (400, "AadPremiumLicenseRequired")]
    {
        let tenant = Tenant::small();
        let body = FaultBody::GraphError { code: code.into(), message: "no licence".into() };
        let action = FaultAction::Status { code: status, body, headers: [].into() };
        tenant.sim.add_fault(Fault::always(Route::USERS_LIST, action));
        let checked = tenant.check();
        let licence = row(&checked, Some("User"), "Licence");
        assert_eq!(
            (&licence["Outcome"], &row(&checked, Some("User"), "Permission")["Outcome"]),
            (&json!("Failed"), &json!("Unknown"))
        );
        says(licence, "Remedy", "set ImportUsers to false");
        assert_eq!(checked.status, CONNECTOR_END_PARTIAL);
    }
}

#[test]
fn a_cancel_ends_a_check_wherever_it_waits() {
    for route in [Route::Token, Route::Applications, Route::USERS_LIST, Route::Batch] {
        let tenant = Tenant::small();
        tenant.sim.add_fault(Fault::once(route, FaultAction::retry_after(429, "3600")));
        let (config, auth) = (tenant.config(), tenant.auth());
        let request = StartRequest { config: &config, auth: &auth, ..StartRequest::default() };
        let mut operation = connector().check(&request).unwrap_or_else(|e| panic!("{}", e.error_json));
        let status = loop {
            if tenant.sim.journal().iter().any(|x| x.faulted) {
                operation.cancel();
            }
            match operation.next(Duration::from_millis(20)).unwrap() {
                Next::Pending | Next::Batch(_) => {}
                Next::Failed(status) => break status,
                other => panic!("{route:?}: {other:?}"),
            }
        };
        assert_eq!(status, CONNECTOR_E_CANCELLED, "{route:?}");
    }
}
