"""Found addresses as JSON."""

from gis_server.core.address_found import AddressAnswer, FoundAddress
from gis_server.core.address_match import Asked
from gis_server.views.current import say


def answer_json(answer: AddressAnswer) -> dict[str, object]:
    """The verdict and the addresses, the best first."""
    return {
        "verdict": answer.verdict,
        "message": say(answer.message),
        "addresses": [found_json(one, answer.asked) for one in answer.found],
        "generation": answer.generation,
    }


def found_json(one: FoundAddress, asked: Asked) -> dict[str, object]:
    """One address with its place, its score and why it was found."""
    place, routed = one.place, one.place.routed
    return {
        "address_code": one.address.code,
        "standard_address": one.address.standard_address,
        "former_names": one.address.former_names,
        "lon": one.address.lon,
        "lat": one.address.lat,
        "score": one.fit.score,
        "is_exact": one.fit.agrees,
        "why": [say(reason) for reason in one.why(asked)],
        "differences": [
            {
                "part": "name" if difference.part is None else difference.part,
                "asked": difference.asked,
                "found": difference.found,
            }
            for difference in one.fit.differences
        ],
        "match": routed.match,
        "grid_code": routed.grid_code,
        "grid_name": place.grid_name,
        "sub_grid_code": routed.sub_grid_code,
        "area_path": place.area_path,
        "area_names": place.area_names,
    }
