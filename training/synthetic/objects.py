"""All the things that the network of objects learns from: families with their shares.

About half of all things have a mirror plane, as most made things and most standing creatures have.
"""

from __future__ import annotations

from random import Random

from . import (
    bodies,
    carpentry,
    creatures,
    greenery,
    hollowware,
    household,
    houses,
    manmade,
    props,
    sculptures,
    transport,
)
from .kit import Family, propped, sculpted

HOLLOW: tuple[tuple[Family, float], ...] = (
    (hollowware.mug, 2),
    (hollowware.bowl, 1.5),
    (hollowware.vase, 1.5),
    (hollowware.bottle, 1.5),
    (hollowware.jar, 0.8),
    (hollowware.wine_glass, 0.6),
    (hollowware.bucket, 1),
    (hollowware.pan, 1),
    (hollowware.kettle, 1.2),
    (hollowware.basket, 1.2),
    (hollowware.crate, 1.2),
    (sculpted(manmade.vessel), 1),
)
FURNITURE: tuple[tuple[Family, float], ...] = (
    (carpentry.chair, 4),
    (carpentry.stool, 1.2),
    (carpentry.upholstered, 2),
    (carpentry.table, 1.5),
    (carpentry.rack, 1.2),
    (carpentry.cupboard, 1),
    (carpentry.ladder, 0.5),
    (carpentry.lamp, 1.5),
    (carpentry.bed, 0.5),
    (sculpted(manmade.seat), 1),
    (propped(props.armchair), 0.7),
    (propped(props.office_chair), 0.5),
    (propped(props.desk), 0.3),
)
VEHICLES: tuple[tuple[Family, float], ...] = (
    (sculpted(manmade.modelled_car), 2.5),
    (transport.van, 1.2),
    (transport.lorry, 1),
    (transport.bicycle, 0.7),
    (transport.motorbike, 0.7),
    (transport.aeroplane, 1),
    (transport.helicopter, 0.4),
    (transport.boat, 1),
    (transport.cart, 0.8),
    (transport.rocket, 0.3),
    (sculpted(manmade.locomotive), 0.6),
    (sculpted(manmade.craft), 0.5),
)
CREATURES: tuple[tuple[Family, float], ...] = (
    (bodies.person, 4),
    (bodies.quadruped, 4),
    (sculpted(creatures.modelled_animal), 1.5),
    (sculpted(creatures.bird), 2),
    (sculpted(creatures.figure), 2),
    (sculpted(creatures.robot), 1),
    (bodies.swimmer, 0.8),
    (bodies.crawler, 0.8),
    (bodies.snake, 0.3),
)
GROWN: tuple[tuple[Family, float], ...] = (
    (greenery.pot_plant, 1.8),
    (greenery.tree, 1),
    (greenery.flower, 0.8),
    (greenery.fruit, 1.5),
    (greenery.pastry, 1.5),
    (sculpted(sculptures.modelled_fruit), 1),
    (sculpted(sculptures.food), 1),
    (sculpted(sculptures.modelled_rock), 0.8),
)
SMALL: tuple[tuple[Family, float], ...] = (
    (household.shoe, 2),
    (household.garment, 0.8),
    (household.bag, 1.2),
    (household.hand_tool, 1.5),
    (household.drill, 0.8),
    (household.gadget, 1.2),
    (household.appliance, 0.8),
    (household.instrument, 0.8),
    (household.toy, 1.5),
    (household.ornament, 1.2),
    (household.umbrella, 0.3),
    (sculpted(sculptures.abstract), 2.5),
    (sculpted(sculptures.column), 0.8),
    (propped(props.heap), 0.5),
    (propped(props.books), 0.5),
    (propped(props.carton), 0.4),
    (propped(props.laptop), 0.5),
)
BUILDINGS: tuple[tuple[Family, float], ...] = (
    (houses.house, 1.5),
    (houses.church, 0.5),
    (houses.tower, 0.6),
    (houses.castle, 0.4),
    (houses.temple, 0.5),
    (houses.flats, 0.5),
)
OBJECTS = HOLLOW + FURNITURE + VEHICLES + CREATURES + GROWN + SMALL + BUILDINGS


def family(r: Random) -> Family:
    """A random one."""
    families, shares = zip(*OBJECTS, strict=True)
    drawn: Family = r.choices(families, shares)[0]
    return drawn
