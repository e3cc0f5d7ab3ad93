"""A network as GEXF, the format of Gephi: names, weights and every attribute, written by hand as igraph cannot."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import igraph as ig

_NAMESPACE = "http://www.gexf.net/1.2draft"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def format_gexf(network: ig.Graph) -> bytes:
    """Return the network as a GEXF 1.2 document, UTF-8.

    Accounts are labelled by their `name`, edges weigh their `weight`; all other attributes of accounts and edges
    become columns of Gephi's tables, typed by their first value; those of the network become its description.
    Characters that XML cannot hold become U+FFFD.

    Source: gexf.net, GEXF 1.2draft.
    """
    root = ET.Element("gexf", {"xmlns": _NAMESPACE, "version": "1.2"})
    meta = ET.SubElement(root, "meta")
    ET.SubElement(meta, "creator").text = "takedown-workbench"
    ET.SubElement(meta, "description").text = "; ".join(f"{k}: {clean_text(network[k])}" for k in network.attributes())
    graph = ET.SubElement(root, "graph", {"defaultedgetype": "undirected", "mode": "static"})
    node_columns = _declare(graph, "node", network.vs)
    edge_columns = _declare(graph, "edge", network.es)
    nodes = ET.SubElement(graph, "nodes", {"count": str(network.vcount())})
    for vertex in network.vs:
        node = ET.SubElement(nodes, "node", {"id": str(vertex.index), "label": clean_text(vertex["name"])})
        _fill(node, node_columns, vertex)
    edges = ET.SubElement(graph, "edges", {"count": str(network.ecount())})
    weights = network.es["weight"] if "weight" in network.es.attributes() else [1.0] * network.ecount()
    for edge, weight in zip(network.es, weights, strict=True):
        ends = {"id": str(edge.index), "source": str(edge.source), "target": str(edge.target)}
        _fill(ET.SubElement(edges, "edge", ends | {"weight": repr(float(weight))}), edge_columns, edge)
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def clean_text(value: object) -> str:
    """Return the value as text that any XML file can hold."""
    if isinstance(value, bool):
        return str(value).lower()
    return _NOT_XML.sub("\ufffd", str(value))


def _declare(graph: ET.Element, kind: str, sequence: ig.VertexSeq | ig.EdgeSeq) -> dict[str, str]:
    """Declare the attributes of accounts or edges; return name -> id."""
    declared = ET.SubElement(graph, "attributes", {"class": kind, "mode": "static"})
    columns = {}
    for name in sequence.attributes():
        if name == "label" or (kind == "edge" and name == "weight"):  # Gephi has these itself
            continue
        columns[name] = str(len(columns))
        values = (value for value in sequence[name] if value is not None)
        ET.SubElement(declared, "attribute", {"id": columns[name], "title": name, "type": _type_of(next(values, ""))})
    return columns


def _type_of(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "long"
    return "double" if isinstance(value, float) else "string"


def _fill(element: ET.Element, columns: dict[str, str], item: ig.Vertex | ig.Edge) -> None:
    values = ET.SubElement(element, "attvalues")
    for name, number in columns.items():
        if item[name] is not None:
            ET.SubElement(values, "attvalue", {"for": number, "value": clean_text(item[name])})
