//! `greyplane prove`: a simulated camera, the gateway and a viewer that judges.
