//! What is hidden in a still: everything but the zones.

use crate::event::Reason;
use crate::geom::Size;
use crate::plan::{Hide, Plan, PlanInput, RegionSource, decide};
use crate::pose::PoseEstimate;
use crate::zone::{CannotPlace, Region};

/// What a still of one frame hides. Nobody else can paint with it:
///
/// ```
/// fn size(plan: &greyplane::still::StillPlan) -> greyplane::geom::Size {
///     plan.size()
/// }
/// ```
///
/// The same, but with the plan itself, does not compile:
///
/// ```compile_fail,E0616
/// fn plan(plan: &greyplane::still::StillPlan) -> &greyplane::plan::Plan {
///     &plan.things
/// }
/// ```
#[derive(Clone, Debug)]
pub struct StillPlan {
    /// Without the zones: it must not leave this module.
    pub(super) things: Plan,
    pub(super) pose: Option<PoseEstimate>,
}

impl StillPlan {
    /// The plan for a still of the frame of which `input` is known.
    ///
    /// # Errors
    /// The reason for which the stream's own frame is covered: then there is no
    /// still of it either. Also where nobody knows what is in the picture.
    pub fn of(input: &PlanInput<'_>) -> Result<Self, Reason> {
        shown(decide(input))?;
        let pose = input.pose.clone().transpose()?;
        let things = shown(decide(&PlanInput {
            size: input.size,
            made_for: input.made_for,
            zones: Ok(&NoZones),
            pose: None,
            things: input.things.clone(),
            mosaic: false,
            standing: input.standing,
            limits: input.limits,
        }))?;
        Ok(Self { things, pose })
    }

    /// The size of the frame it is for.
    pub fn size(&self) -> Size {
        self.things.size
    }
}

/// `plan`, unless it hides all.
fn shown(plan: Plan) -> Result<Plan, Reason> {
    match plan.hide {
        Hide::All(reason) => Err(reason),
        Hide::Regions { .. } => Ok(plan),
    }
}

struct NoZones;

impl RegionSource for NoZones {
    fn regions(&self, _: Option<&PoseEstimate>, _: Size) -> Result<Vec<Region>, CannotPlace> {
        Ok(Vec::new())
    }

    fn has_show_only(&self) -> bool {
        false
    }

    fn needs_pose(&self) -> bool {
        false
    }
}
