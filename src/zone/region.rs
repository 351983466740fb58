//! Zones and a pose to regions of a frame.

use super::read::Outline;
use super::trim::{Shift, Shifts};
use super::{CannotPlace, GrownPoint, Mode, Region, ZoneSet};
use crate::geom::{
    Angle, Corner, Field, Gaze, GeomError, Mount, Optics, PixelPoint, Size, SpherePolygon, View,
    outline_in_frame,
};
use crate::pose::{Margin, PoseEstimate};

/// How far image zones grow: rasterising, chroma, what the camera's compression
/// smears (`design/007-what-compression-carries.md`); pixels.
pub const IMAGE_MARGIN_PX: f64 = 4.0;

pub(super) fn regions(
    set: &ZoneSet,
    pose: Option<&PoseEstimate>,
    optics: Optics,
    mount: Mount,
    size: Size,
) -> Result<Vec<Region>, CannotPlace> {
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
        let of = &set.document.zones[zone];
        let corners = corners.map_err(|why| CannotPlace {
            zone: of.id.clone(),
            why,
        })?;
        if let Some(corners) = corners {
            regions.push(Region {
                zone: Some(zone),
                mode: of.mode,
                outline: corners.into_iter().map(GrownPoint::from).collect(),
            });
        }
    }
    Ok(regions)
}

pub(super) fn in_picture(
    set: &ZoneSet,
    size: Size,
    more_px: f64,
) -> Result<Vec<Region>, CannotPlace> {
    let mut regions = rim(size, more_px, set.outlines.len());
    for (zone, outline) in set.outlines.iter().enumerate() {
        let corners = match outline {
            Outline::Image(polygon) if more_px >= 0.0 => {
                outline_in_frame(polygon, size, IMAGE_MARGIN_PX + more_px)
            }
            Outline::Image(_) => Err(GeomError::NotFinite("margin")),
            Outline::Sphere(_) => Err(GeomError::NotFinite("missing pose")),
        };
        let of = &set.document.zones[zone];
        let corners = corners.map_err(|why| CannotPlace {
            zone: of.id.clone(),
            why,
        })?;
        regions.extend(corners.map(|corners| Region {
            zone: Some(zone),
            mode: of.mode,
            outline: corners.into_iter().map(GrownPoint::from).collect(),
        }));
    }
    Ok(regions)
}

/// The rim of a frame, `width_px` wide, as a zone with that index: what lies beyond the
/// picture for which zones were drawn was judged by nobody.
fn rim(size: Size, width_px: f64, zone: usize) -> Vec<Region> {
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    let sides = [
        [0.0, 0.0, w, width_px],
        [0.0, h - width_px, w, h],
        [0.0, 0.0, width_px, h],
        [w - width_px, 0.0, w, h],
    ];
    let corner = |x, y| GrownPoint {
        at: PixelPoint { x, y },
        margin_px: 0.0,
    };
    let side = |[x0, y0, x1, y1]: [f64; 4]| Region {
        zone: Some(zone),
        mode: Mode::Hide,
        outline: vec![
            corner(x0, y0),
            corner(x1, y0),
            corner(x1, y1),
            corner(x0, y1),
        ],
    };
    match width_px > 0.0 {
        true => sides.map(side).into(),
        false => Vec::new(),
    }
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

/// The margin at `r_px`; infinite where it leads so near to 90° from the axis
/// that [`Margin::px_at`] caps it.
fn margin_px(margin: &Margin, r_px: f64, focal_px: f64) -> f64 {
    let e = margin.angle.rad();
    let left = 1.0 - r_px / focal_px * e.tan();
    if e >= std::f64::consts::FRAC_PI_2 || left < 0.05 {
        return f64::INFINITY;
    }
    margin.px_at(r_px, focal_px)
}

impl From<Corner> for GrownPoint {
    fn from(corner: Corner) -> Self {
        Self {
            at: corner.at,
            margin_px: corner.margin_px,
        }
    }
}
