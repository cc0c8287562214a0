# plot.awk - wall time against hosts, as SVG; from lines TOOL,HOSTS,SECONDS
#
# Both axes are logarithmic.  One line a tool, in the order of first mention,
# through the points as they come; its name stands at its last point.
BEGIN {
	FS = ","
	split("#c00000 #555555 #0060a0 #008040 #a06000 #8000a0 #00a0a0", colour,
	    " ")
	width = 720
	height = 480
	left = 60
	right = 110
	top = 30
	bottom = 50
}
{
	if (!($1 in n))
		tool[++tools] = $1
	i = ++n[$1]
	x[$1, i] = log($2)
	y[$1, i] = log($3)
	hosts[$2] = 1
	if (NR == 1 || log($2) < x0)
		x0 = log($2)
	if (NR == 1 || log($2) > x1)
		x1 = log($2)
	if (NR == 1 || log($3) < y0)
		y0 = log($3)
	if (NR == 1 || log($3) > y1)
		y1 = log($3)
}
function at_x(v) {
	return left + (v - x0) / (x1 - x0) * (width - left - right)
}
function at_y(v) {
	return height - bottom - (v - y0) / (y1 - y0) * (height - top - bottom)
}
function text(px, py, anchor, fill, words) {
	printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">" \
	    "%s</text>\n", px, py, anchor, fill, words
}
function grid(x_a, y_a, x_b, y_b) {
	printf "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#ddd\"/>\n", x_a,
	    y_a, x_b, y_b
}
END {
	if (NR < 2 || x1 == x0)
		exit 1
	y0 = log(10) * int(y0 / log(10) - (y0 < 0))
	y1 = log(10) * int(y1 / log(10) + (y1 > 0))
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\"" \
	    " font-family=\"sans-serif\" font-size=\"13\">\n", width, height
	printf "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", width, height
	text(left, 18, "start", "#000", title)
	for (h in hosts) {
		grid(at_x(log(h)), top, at_x(log(h)), height - bottom)
		text(at_x(log(h)), height - bottom + 18, "middle", "#000", h)
	}
	text((left + width - right) / 2, height - 12, "middle", "#000", "hosts")
	for (d = y0; d <= y1 + 0.01; d += log(10)) {
		grid(left, at_y(d), width - right, at_y(d))
		text(left - 6, at_y(d) + 4, "end", "#000", \
		    sprintf("%g s", exp(d)))
	}
	for (t = 1; t <= tools; t++) {
		name = tool[t]
		printf "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%d\"" \
		    " points=\"", colour[t], name == "towerify" ? 3 : 1.5
		for (i = 1; i <= n[name]; i++)
			printf "%.1f,%.1f ", at_x(x[name, i]), at_y(y[name, i])
		print "\"/>"
		i = n[name]
		text(at_x(x[name, i]) + 6, at_y(y[name, i]) + 4, "start", \
		    colour[t], name)
	}
	print "</svg>"
}
