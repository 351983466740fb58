//! The rasteriser against a slow and simple one: distances in f64, sample by
//! sample, without a row, a span or a tangent in it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

use greyplane::geom::{PixelPoint, Size};
use greyplane::paint::Coverage;
use greyplane::zone::{GrownPoint, Mode, Region};
use proptest::prelude::*;

/// Odd, and wider than a word of the bitmap.
const FRAME: Size = Size {
    width: 71,
    height: 45,
};

/// How far from the truth a hidden sample's middle may lie: half a diagonal is
/// what hiding every touched sample costs.
const OVERCOVER_PX: f64 = 1.5;

fn corner(x: f64, y: f64, margin_px: f64) -> GrownPoint {
    GrownPoint {
        at: PixelPoint { x, y },
        margin_px,
    }
}

fn edges(region: &Region) -> impl Iterator<Item = (&GrownPoint, &GrownPoint)> {
    let n = region.outline.len();
    (0..n).map(move |i| (&region.outline[i], &region.outline[(i + 1) % n]))
}

/// How far (`x`, `y`) lies outside the disc that slides from `a` to `b` while
/// its radius goes from one margin to the other; negative inside. The distance
/// to the sliding disc is convex in its place, so a ternary search finds it.
fn outside_capsule(a: &GrownPoint, b: &GrownPoint, x: f64, y: f64) -> f64 {
    let (dx, dy) = (b.at.x - a.at.x, b.at.y - a.at.y);
    let along = ((x - a.at.x) * dx + (y - a.at.y) * dy) / (dx * dx + dy * dy).max(1e-300);
    let along = along.clamp(0.0, 1.0);
    let to_edge = (x - a.at.x - along * dx).hypot(y - a.at.y - along * dy);
    let at_least = to_edge - a.margin_px.max(b.margin_px);
    // Far enough from the edge that its exact distance decides nothing.
    if at_least > OVERCOVER_PX {
        return at_least;
    }
    let mix = |p: f64, q: f64, t: f64| p + (q - p) * t;
    let at = |t: f64| {
        (x - mix(a.at.x, b.at.x, t)).hypot(y - mix(a.at.y, b.at.y, t))
            - mix(a.margin_px, b.margin_px, t)
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..64 {
        let (p, q) = (mix(low, high, 1.0 / 3.0), mix(low, high, 2.0 / 3.0));
        if at(p) < at(q) {
            high = q;
        } else {
            low = p;
        }
    }
    at(low).min(at(0.0)).min(at(1.0))
}

/// The sum of the angles under which (`x`, `y`) sees the edges, in turns.
fn winds_around(region: &Region, x: f64, y: f64) -> bool {
    let turn: f64 = edges(region)
        .map(|(a, b)| {
            let (ax, ay, bx, by) = (a.at.x - x, a.at.y - y, b.at.x - x, b.at.y - y);
            (ax * by - ay * bx).atan2(ax * bx + ay * by)
        })
        .sum();
    (turn / std::f64::consts::TAU).round() != 0.0
}

/// How far (`x`, `y`) lies from what `region` hides; negative or zero within.
fn from_hidden(region: &Region, x: f64, y: f64) -> f64 {
    let margin = edges(region)
        .map(|(a, b)| outside_capsule(a, b, x, y))
        .fold(f64::INFINITY, f64::min);
    let within = match region.mode {
        Mode::Hide => winds_around(region, x, y),
        Mode::ShowOnly => !winds_around(region, x, y),
    };
    if within { margin.min(0.0) } else { margin }
}

/// How far (`x`, `y`) lies from what all of `regions` together hide.
fn from_all_hidden(regions: &[Region], x: f64, y: f64) -> f64 {
    let of = |mode| {
        regions
            .iter()
            .filter(move |r| r.mode == mode)
            .map(move |r| from_hidden(r, x, y))
    };
    let hide = of(Mode::Hide).fold(f64::INFINITY, f64::min);
    let shown = regions.iter().any(|r| r.mode == Mode::ShowOnly);
    let outside = of(Mode::ShowOnly).fold(f64::NEG_INFINITY, f64::max);
    if shown { hide.min(outside) } else { hide }
}

fn check(regions: &[Region]) -> Result<(), TestCaseError> {
    let coverage = Coverage::of_regions(FRAME, regions, false);
    let places = [0.0, 0.5, 1.0];
    for y in 0..FRAME.height as usize {
        for x in 0..FRAME.width as usize {
            let (left, top) = (x as f64, y as f64);
            if coverage.hides(x, y) {
                let off = from_all_hidden(regions, left + 0.5, top + 0.5);
                prop_assert!(off <= OVERCOVER_PX, "{x},{y} is hidden, {off} px off");
            } else {
                for (dx, dy) in places.iter().flat_map(|dx| places.map(|dy| (dx, dy))) {
                    let off = from_all_hidden(regions, left + dx, top + dy);
                    prop_assert!(off > -1e-7, "{x},{y} is shown, {off} px inside");
                }
            }
        }
    }
    Ok(())
}

/// Corners in a box around `(cx, cy)` that reaches `reach` px.
fn outline(
    centre: (f64, f64),
    reach: f64,
    margin_px: std::ops::Range<f64>,
) -> impl Strategy<Value = Vec<GrownPoint>> {
    let at = |c: f64| (c - reach)..(c + reach);
    prop::collection::vec(
        (at(centre.0), at(centre.1), margin_px).prop_map(|(x, y, m)| corner(x, y, m)),
        3..10,
    )
}

fn any_region() -> impl Strategy<Value = Region> {
    let any_outline = prop_oneof![
        // Over the frame's border, concave and crossing themselves as it comes.
        4 => outline((35.0, 22.0), 70.0, 0.0..12.0),
        // Small ones inside, with margins that swallow whole edges.
        2 => outline((40.0, 30.0), 4.0, 0.0..25.0),
        // Less than a sample.
        1 => outline((17.5, 11.5), 0.3, 0.0..0.2),
        // Larger than any frame.
        1 => outline((0.0, 0.0), 90_000.0, 0.0..200.0),
        // Wholly outside, near and far.
        1 => outline((-130.0, 20.0), 40.0, 0.0..30.0),
        // Corners and edges exactly on samples' borders; level and upright edges.
        2 => prop::collection::vec((-3i32..20, -3i32..14, 0i32..3), 3..8).prop_map(|corners| {
            corners
                .into_iter()
                .map(|(x, y, m)| corner(f64::from(x * 6), f64::from(y * 6), f64::from(m * 2)))
                .collect()
        }),
    ];
    let mode = prop_oneof![3 => Just(Mode::Hide), 1 => Just(Mode::ShowOnly)];
    (any_outline, mode).prop_map(|(outline, mode)| Region {
        zone: Some(0),
        mode,
        outline,
    })
}

fn grown(regions: &[Region], by: f64) -> Vec<Region> {
    let mut regions = regions.to_vec();
    for corner in regions.iter_mut().flat_map(|r| &mut r.outline) {
        corner.margin_px += by;
    }
    regions
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn coverage_is_what_distances_say(regions in prop::collection::vec(any_region(), 1..4)) {
        check(&regions)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_wider_margin_never_hides_less(
        regions in prop::collection::vec(any_region(), 1..6),
        by in prop_oneof![Just(0.0), 0.0..0.01, 0.0..40.0],
    ) {
        let narrow = Coverage::of_regions(FRAME, &regions, false);
        let wide = Coverage::of_regions(FRAME, &grown(&regions, by), false);
        for y in 0..FRAME.height as usize {
            for x in 0..FRAME.width as usize {
                prop_assert!(wide.hides(x, y) || !narrow.hides(x, y), "{x},{y} came to light");
            }
        }
    }

    #[test]
    fn what_cannot_be_drawn_hides_everything(
        region in any_region(),
        at in any::<prop::sample::Index>(),
        part in 0..3,
        bad in prop_oneof![
            Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(1e9), Just(-1e300),
        ],
    ) {
        let mut broken = region.clone();
        let corner = at.get(&broken.outline).to_owned();
        let slot = broken.outline.iter_mut().find(|p| **p == corner).unwrap();
        match part {
            0 => slot.at.x = bad,
            1 => slot.at.y = bad,
            _ => slot.margin_px = bad,
        }
        prop_assert!(Coverage::of_regions(FRAME, &[region.clone(), broken], false).is_all());
        let mut short = region;
        short.outline.truncate(2);
        prop_assert!(Coverage::of_regions(FRAME, &[short], false).is_all());
    }

    #[test]
    fn no_number_panics(
        numbers in prop::collection::vec((any::<f64>(), any::<f64>(), any::<f64>()), 0..9),
        show in any::<bool>(),
        width in 0u32..70,
        height in 0u32..70,
    ) {
        let outline = numbers.into_iter().map(|(x, y, m)| corner(x, y, m)).collect();
        let mode = if show { Mode::ShowOnly } else { Mode::Hide };
        let region = Region { zone: Some(0), mode, outline };
        let coverage = Coverage::of_regions(Size { width, height }, &[region], show);
        prop_assert!((0.0..=1.0).contains(&coverage.share()));
    }
}

/// Draws `regions` on a small frame: `#` hidden, `.` shown.
fn draw(regions: &[Region], show_only: bool, width: u32, height: u32) -> Vec<String> {
    let coverage = Coverage::of_regions(Size { width, height }, regions, show_only);
    (0..height as usize)
        .map(|y| {
            (0..width as usize)
                .map(|x| if coverage.hides(x, y) { '#' } else { '.' })
                .collect()
        })
        .collect()
}

fn region(mode: Mode, margin_px: f64, corners: &[(f64, f64)]) -> Region {
    Region {
        zone: Some(0),
        mode,
        outline: corners
            .iter()
            .map(|&(x, y)| corner(x, y, margin_px))
            .collect(),
    }
}

const SQUARE: [(f64, f64); 4] = [(3.5, 2.5), (8.5, 2.5), (8.5, 5.5), (3.5, 5.5)];
const U_SHAPE: [(f64, f64); 8] = [
    (1.5, 1.5),
    (3.5, 1.5),
    (3.5, 4.5),
    (7.5, 4.5),
    (7.5, 1.5),
    (9.5, 1.5),
    (9.5, 6.5),
    (1.5, 6.5),
];

#[test]
fn golden_shapes() {
    let check = |regions: &[Region], show_only, expected: [&str; 8]| {
        assert_eq!(draw(regions, show_only, 12, 8), expected, "{regions:?}");
    };
    check(
        &[region(Mode::Hide, 0.0, &SQUARE)],
        false,
        [
            "............",
            "............",
            "...######...",
            "...######...",
            "...######...",
            "...######...",
            "............",
            "............",
        ],
    );
    // Grown: straight sides, round corners.
    check(
        &[region(Mode::Hide, 2.1, &SQUARE)],
        false,
        [
            "..########..",
            ".##########.",
            ".##########.",
            ".##########.",
            ".##########.",
            ".##########.",
            ".##########.",
            "..########..",
        ],
    );
    check(
        &[region(Mode::Hide, 0.0, &U_SHAPE)],
        false,
        [
            "............",
            ".###...###..",
            ".###...###..",
            ".###...###..",
            ".#########..",
            ".#########..",
            ".#########..",
            "............",
        ],
    );
    // Show-only: what an edge touches, and its margin, is hidden.
    check(
        &[region(Mode::ShowOnly, 0.0, &SQUARE)],
        false,
        [
            "############",
            "############",
            "############",
            "####....####",
            "####....####",
            "############",
            "############",
            "############",
        ],
    );
    // Hide wins over show-only.
    check(
        &[
            region(Mode::Hide, 0.0, &[(5.2, 3.2), (5.8, 3.2), (5.5, 3.8)]),
            region(Mode::ShowOnly, 0.0, &SQUARE),
        ],
        false,
        [
            "############",
            "############",
            "############",
            "####.#..####",
            "####....####",
            "############",
            "############",
            "############",
        ],
    );
    // Two show-only zones that overlap: no seam between them.
    check(
        &[
            region(
                Mode::ShowOnly,
                0.0,
                &[(0.5, 0.5), (6.5, 0.5), (6.5, 4.5), (0.5, 4.5)],
            ),
            region(
                Mode::ShowOnly,
                0.0,
                &[(4.5, 0.5), (10.5, 0.5), (10.5, 4.5), (4.5, 4.5)],
            ),
        ],
        false,
        [
            "############",
            "#.........##",
            "#.........##",
            "#.........##",
            "############",
            "############",
            "############",
            "############",
        ],
    );
    // The camera has show-only zones, none of them in this picture.
    check(&[], true, ["############"; 8]);
    check(&[], false, ["............"; 8]);
}
