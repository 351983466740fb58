//! Zones and a pose to regions of a frame.

use super::read::Outline;
use super::trim::{Shift, Shifts};
use super::{GrownPoint, Mode, Region, ZoneSet};
use crate::geom::{
    Angle, Corner, Field, Gaze, GeomError, Mount, Optics, PixelPoint, Size, SpherePolygon, View,
    outline_in_frame,
};
use crate::pose::{Margin, PoseEstimate};

/// How far image zones grow: rasterising, chroma, the codec's ringing; pixels.
pub const IMAGE_MARGIN_PX: f64 = 2.0;

pub(super) fn regions(
    set: &ZoneSet,
    pose: Option<&PoseEstimate>,
    optics: Optics,
    mount: Mount,
    size: Size,
) -> Vec<Region> {
    let camera = pose.map(|pose| Camera {
        pose,
        optics,
        mount,
        size,
    });
    let shifts = match pose {
        Some(pose) => Shifts::at(&set.document.presets, pose.pan, pose.tilt, |id| {
            set.index_of.get(id).copied()
        }),
        None => Shifts::none(),
    };
    // Most zones have no trim and share one view.
    let view = camera.as_ref().map(|camera| camera.view(None));
    let field = match (&camera, &view) {
        (Some(camera), Some(Ok(view))) => camera.field(view, None),
        (_, Some(Err(e))) => Err(*e),
        _ => Err(GeomError::NotFinite("missing pose")),
    };
    let mut regions = Vec::new();
    for (zone, outline) in set.outlines.iter().enumerate() {
        let corners = match (outline, &camera, shifts.of(zone)) {
            (Outline::Image(polygon), _, _) => outline_in_frame(polygon, size, IMAGE_MARGIN_PX),
            (Outline::Sphere(polygon), Some(camera), Some(shift)) => camera.shifted(polygon, shift),
            (Outline::Sphere(polygon), _, _) => match &field {
                Ok(field) => field.outline(polygon),
                Err(e) => Err(*e),
            },
        };
        match corners {
            Ok(None) => {}
            Ok(Some(corners)) => regions.push(Region {
                zone,
                mode: set.document.zones[zone].mode,
                outline: corners.into_iter().map(GrownPoint::from).collect(),
            }),
            Err(_) => regions.push(whole_frame(zone, size)),
        }
    }
    regions
}

/// A pose and what it is seen through.
struct Camera<'a> {
    pose: &'a PoseEstimate,
    optics: Optics,
    mount: Mount,
    size: Size,
}

impl Camera<'_> {
    fn view(&self, shift: Option<Shift>) -> Result<View, GeomError> {
        let moved = |angle: Angle, by: Angle| Angle::from_rad(angle.rad() - by.rad());
        let (pan, tilt) = match shift {
            // A zone further right is a camera further left.
            Some(shift) => (
                moved(self.pose.pan, shift.pan),
                moved(self.pose.tilt, shift.tilt),
            ),
            None => (self.pose.pan, self.pose.tilt),
        };
        let gaze = Gaze {
            pan,
            tilt,
            roll: self.pose.roll,
        };
        let focal_px = self.pose.focal * f64::from(self.size.width);
        View::new(gaze, focal_px, self.size, self.optics, self.mount)
    }

    fn field<'v>(
        &self,
        view: &'v View,
        shift: Option<Shift>,
    ) -> Result<Field<'v, impl Fn(f64) -> f64 + use<'v>>, GeomError> {
        let mut margin = self.pose.margin;
        let parts = [margin.angle.rad(), margin.radial, margin.floor_px];
        if !parts.iter().all(|part| part.is_finite() && *part >= 0.0) {
            return Err(GeomError::NotFinite("margin"));
        }
        if let Some(shift) = shift {
            margin.angle = Angle::from_rad(margin.angle.rad() + shift.spread.rad());
        }
        let focal_px = view.focal_px();
        Field::new(view, move |r_px| margin_px(&margin, r_px, focal_px))
    }

    fn shifted(
        &self,
        polygon: &SpherePolygon,
        shift: Shift,
    ) -> Result<Option<Vec<Corner>>, GeomError> {
        let view = self.view(Some(shift))?;
        self.field(&view, Some(shift))?.outline(polygon)
    }
}

/// The margin, with what its formula leaves out: f(1+r²/f²)·ε is how fast the
/// picture moves, the way it has gone after ε is f·tan(atan(r/f)+ε) − r. The two
/// differ by a tenth at ε = 5° and r = f. Infinite where ε leads to 90°.
fn margin_px(margin: &Margin, r_px: f64, focal_px: f64) -> f64 {
    let (t, e) = (r_px / focal_px, margin.angle.rad());
    let way = e.tan() / (1.0 - t * e.tan());
    if e >= std::f64::consts::FRAC_PI_2 || way < 0.0 {
        return f64::INFINITY;
    }
    margin.px_at(r_px, focal_px) + focal_px * (1.0 + t * t) * (way - e)
}

/// All of a frame, and a little more.
fn whole_frame(zone: usize, size: Size) -> Region {
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    let corner = |x, y| GrownPoint {
        at: PixelPoint { x, y },
        margin_px: IMAGE_MARGIN_PX,
    };
    Region {
        zone,
        mode: Mode::Hide,
        outline: vec![
            corner(-8.0, -8.0),
            corner(w + 8.0, -8.0),
            corner(w + 8.0, h + 8.0),
            corner(-8.0, h + 8.0),
        ],
    }
}

impl From<Corner> for GrownPoint {
    fn from(corner: Corner) -> Self {
        Self {
            at: corner.at,
            margin_px: corner.margin_px,
        }
    }
}
