use super::*;

fn body(inner: &str) -> String {
    format!("<s:Envelope><s:Body>{inner}</s:Body></s:Envelope>")
}

#[test]
fn error_elements_that_say_nothing_are_no_errors() {
    for (text, error) in [
        ("", false),
        ("NO error", false),
        ("no_error", false),
        ("None", false),
        ("OK", false),
        ("0", false),
        ("Overheated", true),
        ("1", true),
    ] {
        let answer = body(&format!(
            "<GetStatusResponse><PTZStatus><Error>{text}</Error></PTZStatus></GetStatusResponse>"
        ));
        assert_eq!(
            ptz_status(&answer).unwrap().error.is_some(),
            error,
            "{text}"
        );
    }
}

#[test]
fn the_first_profile_with_ptz_can_be_told() {
    let answer = body(
        r#"<GetProfilesResponse><Profiles token="a"/><Profiles/><Profiles token="b"><PTZConfiguration token="p"/></Profiles></GetProfilesResponse>"#,
    );
    let found = profiles(&answer).unwrap();
    let tokens: Vec<_> = found
        .iter()
        .map(|p| (p.token.as_str(), p.has_ptz))
        .collect();
    assert_eq!(tokens, [("a", false), ("b", true)]);
}

#[test]
fn the_cameras_time_is_read_or_refused() {
    let at = |date: &str, time: &str| {
        system_time_s(&body(&format!(
            "<GetSystemDateAndTimeResponse><SystemDateAndTime><UTCDateTime><Time>{time}</Time><Date>{date}</Date></UTCDateTime></SystemDateAndTime></GetSystemDateAndTimeResponse>"
        )))
    };
    let day = "<Year>2024</Year><Month>2</Month><Day>29</Day>";
    let noon = "<Hour>12</Hour><Minute>0</Minute><Second>0</Second>";
    assert_eq!(at(day, noon), Ok(1_709_208_000));
    for (date, time) in [
        ("", noon),
        (day, "<Hour>12</Hour><Minute>0</Minute>"),
        ("<Year>2023</Year><Month>2</Month><Day>29</Day>", noon),
        (day, "<Hour>x</Hour><Minute>0</Minute><Second>0</Second>"),
    ] {
        assert!(
            matches!(at(date, time), Err(AnswerError::Lacks { .. })),
            "{date} {time}"
        );
    }
}

#[test]
fn services_are_found_or_left_open() {
    let answer = body(
        "<GetCapabilitiesResponse><Capabilities><Media><XAddr>http://c/m</XAddr></Media><PTZ><XAddr/></PTZ></Capabilities></GetCapabilitiesResponse>",
    );
    let found = services(&answer).unwrap();
    assert_eq!(
        (found.media.as_deref(), found.ptz),
        (Some("http://c/m"), None)
    );
}

#[test]
fn faults_of_both_soap_versions_are_told() {
    for (fault, code, unauthorised) in [
        (
            "<Fault><faultcode>Client.NotAuthorized</faultcode><faultstring>no</faultstring></Fault>",
            "Client.NotAuthorized",
            true,
        ),
        (
            "<Fault><Code><Value>Receiver</Value></Code><Reason><Text>busy\n\u{1b}[31m</Text></Reason></Fault>",
            "Receiver",
            false,
        ),
        ("<Fault/>", "", false),
    ] {
        let Err(e) = ptz_status(&body(fault)) else {
            panic!("{fault}")
        };
        assert_eq!(e.is_unauthorised(), unauthorised, "{fault}");
        let AnswerError::Fault {
            code: found,
            reason,
        } = e
        else {
            panic!("{fault}: {e:?}")
        };
        assert_eq!(found, code);
        assert!(
            !reason.contains('\u{1b}'),
            "what a camera says never steers a terminal"
        );
    }
}

#[test]
fn any_answer_is_read_by_the_name_of_its_question() {
    let of = |inside: &str| format!("<e:Envelope><e:Body>{inside}</e:Body></e:Envelope>");
    let good = of("<x:GetThingResponse><x:A>1</x:A></x:GetThingResponse>");
    let read = any(&good, "GetThing").unwrap();
    assert_eq!(read.path(&["A"]).unwrap().text, "1");
    for (text, words) in [
        (of("<x:GetOtherResponse/>"), "answer lacks"),
        (
            of("<Fault><faultstring>never</faultstring></Fault>"),
            "never",
        ),
        ("<html/>".to_owned(), "a SOAP body"),
    ] {
        let refused = any(&text, "GetThing").unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    }
}
