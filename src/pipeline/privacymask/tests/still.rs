//! What a request for a still does to the frame it is taken from: nothing.

use super::*;

struct LeftHalf;

impl RegionSource for LeftHalf {
    fn regions(&self, _: Option<&PoseEstimate>, size: Size) -> Result<Vec<Region>, CannotPlace> {
        match left_half(size).hide {
            Hide::Regions { regions, .. } => Ok(regions),
            Hide::All(_) => Ok(Vec::new()),
        }
    }

    fn has_show_only(&self) -> bool {
        false
    }

    fn needs_pose(&self) -> bool {
        false
    }
}

/// What a still of any frame would hide.
pub(super) fn plan(size: Size) -> Result<StillPlan, Reason> {
    StillPlan::of(&PlanInput {
        size,
        made_for: Some(size),
        zones: Ok(&LeftHalf),
        pose: None,
        things: None,
        mosaic: false,
        standing: &[],
        limits: MarginLimits::default(),
    })
}

/// Every byte of a frame that left.
fn bytes(out: &Out) -> Vec<u8> {
    out.0.buffer().unwrap().map_readable().unwrap().to_vec()
}

#[test]
fn the_frame_it_is_taken_from_leaves_as_if_nobody_had_asked() {
    gst::init().unwrap();
    let caps = i420(64, 48);
    let usual = {
        let rig = Rig::new(Case::default());
        rig.push(bright(&caps), &caps);
        bytes(&rig.pull())
    };
    let covered = Case {
        plan: Box::new(|size| Plan::cover(size, Reason::DetectorSilent)),
        ..Case::default()
    };
    let panics = Case {
        panic_in: "still",
        ..Case::default()
    };
    type Told = fn(&NoStill) -> bool;
    let cases: [(&str, Case, Option<Told>); 3] = [
        ("given", Case::default(), None),
        (
            "what is covered is covered in a still",
            covered,
            Some(|why| *why == NoStill::Refused(Reason::DetectorSilent)),
        ),
        ("a panic", panics, Some(|why| *why == NoStill::NoFrame)),
    ];
    for (what, case, refused) in cases {
        let rig = Rig::new(case);
        let hides_half = refused.is_none() || what == "a panic";
        std::thread::scope(|scope| {
            let slot = &rig.judge.slot;
            let asked = scope.spawn(|| slot.ask(Duration::from_secs(2)));
            while !slot.is_wanted() {
                std::thread::yield_now();
            }
            rig.push(bright(&caps), &caps);
            let out = rig.pull();
            match hides_half {
                true => assert!(bytes(&out) == usual, "{what}"),
                false => assert!(out.is_hidden(), "{what}"),
            }
            match (asked.join().unwrap(), refused) {
                (Ok(_), None) => {}
                (Err(why), Some(told)) => assert!(told(&why), "{what}: {why}"),
                (other, _) => panic!("{what}: {other:?}"),
            }
        });
        // The next one as well.
        rig.push(bright(&caps), &caps);
        assert_eq!(rig.pull().is_half_hidden(), hides_half, "{what}");
    }
}
